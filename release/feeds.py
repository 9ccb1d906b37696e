"""The lifecycle for other programs: a calendar (iCalendar, RFC 5545) and the JSON shape of endoflife.date."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from packaging.version import Version as Pep440

from release.branches import FINAL, Phase, Transition
from release.lifecycle import BranchStatus, status
from release.model import Manifest
from release.planning import Event

OCTETS = 75  # longest line of an iCalendar file, without its end


def calendar(events: Iterable[Event], as_of: date) -> str:
    """The events as whole days of an iCalendar file; overdue ones stand on `as_of`, where somebody has to act."""
    stamp = f"{as_of:%Y%m%d}T000000Z"
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//MindSpore//release//EN", "CALSCALE:GREGORIAN"]
    lines.append("X-WR-CALDESC:generated from release/manifest.toml\\; do not edit")
    for event in events:
        day = as_of if event.certainty == "overdue" else event.day
        since = f" since {event.day}" if event.certainty == "overdue" else ""
        lines += [
            "BEGIN:VEVENT",
            f"UID:{_name(event)}@release.mindspore",
            f"DTSTAMP:{stamp}",
            f"DTSTART;VALUE=DATE:{day:%Y%m%d}",
            f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{_escaped(f'{event.subject}: {event.text}{since}')}",
            f"STATUS:{'CONFIRMED' if event.certainty == 'fixed' else 'TENTATIVE'}",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    return "".join(f"{part}\r\n" for line in [*lines, "END:VCALENDAR"] for part in _folded(line))


def _name(event: Event) -> str:
    """The same for the same change when its day moves, so that calendars replace what they have."""
    words = f"{event.subject} {event.what}".lower()
    return "".join(letter if letter.isalnum() else "-" for letter in words)


def _escaped(text: str) -> str:
    for letter in "\\;,":
        text = text.replace(letter, "\\" + letter)
    return text.replace("\n", "\\n")


def _folded(line: str) -> Iterator[str]:
    """`line` in parts of at most 75 octets, those after the first begun with a space; no character is cut."""
    part = ""
    for letter in line:
        if len((part + letter).encode()) > OCTETS:
            yield part
            part = " "
        part += letter
    yield part


def endoflife(manifest: Manifest, as_of: date) -> list[dict[str, Any]]:
    """The released branches, newest first, as endoflife.date shows products.

    `support` is the day on which Maintained ends, `eol` the end of life: a date (also an estimate that has not passed),
    else whether the branch is supported, or has ended.
    `latest` is the newest version of the branch that was published by `as_of`; absent where none is recorded.
    """
    return [_cycle(manifest, state) for state in status(manifest, as_of) if state.released]


def _cycle(manifest: Manifest, state: BranchStatus) -> dict[str, Any]:
    branch = manifest.by_name(state.name)
    left = [step for step in branch.transitions if step.to in (Phase.UNMAINTAINED, *FINAL)][:1]
    ended = [step for step in branch.transitions if step.to in FINAL]
    cycle: dict[str, Any] = {
        "cycle": state.name.removeprefix("r"),
        "releaseDate": str(state.released),
        "support": _day_of(left, state.as_of) or state.phase == Phase.MAINTAINED,
        "eol": _day_of(ended, state.as_of) or state.phase in FINAL,
        "lts": False,
    }
    published = [v for v in manifest.version if v.branch == state.name and v.published and v.published <= state.as_of]
    if published:
        latest = max(published, key=lambda version: Pep440(version.text))
        cycle |= {"latest": latest.text, "latestReleaseDate": str(latest.published)}
    return cycle


def _day_of(steps: list[Transition], as_of: date) -> str | None:
    """The day of the one step, if it has happened by `as_of` or is expected later; an estimate that passed is none."""
    for step in steps:
        if step.actual and step.actual <= as_of:
            return str(step.actual)
        if step.estimated and step.estimated >= as_of:
            return str(step.estimated)
    return None
