"""The coming year in its forms: events, calendar, drawing, and the JSON of endoflife.date."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release.days import parse_day, today
from release.errors import UsageError
from release.feeds import calendar, endoflife
from release.lifecycle import add_months, guard_day
from release.model import Manifest, load_manifest
from release.planning import Event, plan, stays
from release.tables import plan_document, plan_table
from release.timeline import timeline

NOW = date(2026, 11, 22)
MANIFEST = load_manifest()
DAYS = st.dates(date(2019, 1, 1), date(2032, 12, 31))


def test_the_year_that_comes(manifest: Manifest) -> None:
    found = [(str(event.day), event.subject, event.text) for event in plan(manifest, NOW)]
    assert found[:5] == [
        ("2023-01-29", "r1.6", "Unmaintained (overdue)"),
        ("2023-04-29", "r1.7", "Unmaintained (overdue)"),
        ("2023-07-29", "r1.8", "Unmaintained (overdue)"),
        ("2023-10-26", "r1.9", "Unmaintained (overdue)"),
        ("2027-02-22", "r2.0", "Maintained (estimated)"),
    ]
    assert ("2027-05-31", "CentOS Stream 9", "leaves the matrix") in found
    assert ("2027-06-01", "r1.9", "last day of the acknowledged silence") in found
    assert found[-1] == ("2027-10-31", "Python 3.11", "leaves the matrix")


def test_what_nobody_estimated_is_due_at_the_policys_last_day(manifest: Manifest) -> None:
    events = [event for event in plan(manifest, date(2027, 2, 1), months=24) if event.subject == "r2.0"]
    assert [(str(event.day), event.text) for event in events] == [
        ("2027-02-22", "Maintained (estimated)"),
        ("2028-02-22", "Unmaintained at the latest"),
        ("2028-05-22", "EOL at the latest"),
    ]


@given(DAYS)
@settings(max_examples=40, deadline=None)
def test_a_plan_is_ordered_and_within_its_year(day: date) -> None:
    events = plan(MANIFEST, day)
    assert events == sorted(events)
    for event in events:
        assert event.day <= add_months(day, 12)
        assert (event.day < day) == (event.certainty == "overdue")


@given(DAYS)
@settings(max_examples=40, deadline=None)
def test_stays_follow_each_other_without_a_gap(day: date) -> None:
    for one, other in zip(stays(MANIFEST, day), stays(MANIFEST, day)[1:], strict=False):
        assert (one.end is None) == (one.branch != other.branch)
        if one.branch == other.branch:
            assert one.start <= other.start
            assert one.end == other.start
            assert other.known == one.certain


@given(DAYS)
@settings(max_examples=25, deadline=None)
def test_a_calendar_is_well_formed(day: date) -> None:
    events = plan(MANIFEST, day)
    text = calendar(events, day)
    lines = text.split("\r\n")
    assert (lines[0], lines[-2:]) == ("BEGIN:VCALENDAR", ["END:VCALENDAR", ""])
    assert "\n" not in text.replace("\r\n", "")
    assert all(len(line.encode()) <= 75 for line in lines)
    starts = [date.fromisoformat(f"{d[:4]}-{d[4:6]}-{d[6:]}") for d in re.findall("DTSTART;VALUE=DATE:([0-9]+)", text)]
    assert starts == [max(event.day, day) for event in events]
    names = re.findall("UID:(.*)", text)
    assert len(set(names)) == len(names) == len(events)


def test_long_and_special_words_of_a_calendar_are_folded_and_escaped() -> None:
    event = Event(NOW, "系统, 甲; 乙\\" * 5, "ends", "fixed")
    lines = calendar([event], NOW).split("\r\n")
    start = next(number for number, line in enumerate(lines) if line.startswith("SUMMARY:"))
    assert lines[start + 1].startswith(" ")
    whole = lines[start] + "".join(line[1:] for line in lines[start + 1 :] if line.startswith(" "))
    assert whole == "SUMMARY:" + "系统\\, 甲\\; 乙\\\\" * 5 + ": ends"


def test_the_drawing_has_a_bar_for_each_living_branch(manifest: Manifest) -> None:
    root = Xml.fromstring(timeline(manifest, NOW))
    titles = [title.text or "" for title in root.iter("{http://www.w3.org/2000/svg}title")]
    assert "r2.0 Development: 2026-11-22 to 2027-02-22" in titles
    assert "r2.0 Maintained: 2027-02-22 to 2028-02-22" in titles
    assert {title.split()[0] for title in titles} == {"r2.0", "r1.9", "r1.8", "r1.7", "r1.6"}
    width = int(root.attrib["viewBox"].split()[2])
    for box in root.iter("{http://www.w3.org/2000/svg}rect"):
        if box.attrib["width"] != "100%":
            assert 0 <= int(box.attrib["x"]) <= int(box.attrib["x"]) + int(box.attrib["width"]) <= width


@given(DAYS)
@settings(max_examples=25, deadline=None)
def test_every_day_can_be_drawn(day: date) -> None:
    texts = {node.text for node in Xml.fromstring(timeline(MANIFEST, day)).iter("{http://www.w3.org/2000/svg}text")}
    assert f"Branches as of {day}" in texts


def test_the_shape_of_endoflife_date(manifest: Manifest, edited: Callable[..., Path]) -> None:
    cycles = {cycle["cycle"]: cycle for cycle in endoflife(manifest, NOW)}
    assert "2.0" not in cycles
    assert cycles["1.9"] == {
        "cycle": "1.9",
        "releaseDate": "2022-10-26",
        "support": True,
        "eol": False,
        "lts": False,
    }
    assert (cycles["1.5"]["support"], cycles["1.5"]["eol"]) == ("2022-10-15", "2022-10-15")
    before = {cycle["cycle"]: cycle for cycle in endoflife(manifest, date(2022, 11, 1))}
    assert before["1.9"]["support"] == "2023-10-26"
    old = '[[version]]\nnumber = "1.9.{}"\npublished = 2022-1{}-26\nbranch = "r1.9"\n\n'
    path = edited(("[policy.months]", f"{old.format(0, 0)}{old.format(1, 2)}[policy.months]"))
    latest = [endoflife(load_manifest(path), day)[0] for day in (date(2022, 12, 1), NOW)]
    assert [(cycle["latest"], cycle["latestReleaseDate"]) for cycle in latest] == [
        ("1.9.0", "2022-10-26"),
        ("1.9.1", "2022-12-26"),
    ]


def test_the_plan_as_a_table_and_as_data(manifest: Manifest) -> None:
    events = plan(manifest, NOW)
    assert "2027-02-22   r2.0              Maintained (estimated)" in plan_table(events)
    data = plan_document(events, NOW)
    assert len(data["events"]) == len(events)
    assert data["events"][4] == {
        "date": "2027-02-22",
        "subject": "r2.0",
        "what": "Maintained",
        "certainty": "estimated",
    }


def test_today_is_the_same_in_every_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    days = set()
    for zone in ("UTC-14", "UTC+12", "UTC"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        days.add(today())
    monkeypatch.delenv("TZ")
    time.tzset()
    assert len(days) <= 2  # two only if midnight passed meanwhile
    assert max(days) - min(days) <= timedelta(days=1)
    assert abs((today() - date.today()).days) <= 1


def test_guards_do_not_follow_a_clock_that_is_behind(manifest: Manifest) -> None:
    assert guard_day(manifest, date(1970, 1, 1)) == manifest.project.docs_as_of
    assert guard_day(manifest, date(2040, 1, 1)) == date(2040, 1, 1)


def test_days_are_dates() -> None:
    assert parse_day("2022-11-01") == date(2022, 11, 1)
    with pytest.raises(UsageError, match=r"--on is not a date[\s\S]*got: 2022-13-01"):
        parse_day("2022-13-01", "--on")
    for text in ("1999-12-31", "2200-01-01", "9999-12-31"):
        with pytest.raises(UsageError, match="out of range"):
            parse_day(text)
