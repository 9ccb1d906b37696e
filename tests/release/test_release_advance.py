"""Moving a branch on: what the manifest's text becomes, and that everything else stays as it was."""

import tomllib
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release.advance import Advance, advanced, difference
from release.branches import FINAL, NEXT, Phase
from release.errors import ManifestError, ReleaseError, UsageError
from release.lifecycle import add_months, branch_status, check, status_of
from release.model import DEFAULT, Manifest, parse_manifest

TEXT = DEFAULT.read_text(encoding="utf-8")
NOW = date(2030, 1, 1)
PATH = Path("manifest.toml")


def after(step: Advance, text: str = TEXT) -> tuple[Manifest, list[str]]:
    """The manifest after `step`, and the changed lines of its text."""
    new = advanced(text, step, PATH, NOW)
    lines = difference(text, new, "manifest.toml").splitlines()[2:]
    return parse_manifest(new, PATH), [line for line in lines if line[0] in "+-"]


def test_a_confirmed_transition_keeps_its_estimate_and_estimates_the_next() -> None:
    manifest, lines = after(Advance("r2.0", date(2027, 2, 22)))
    state = status_of(manifest, "r2.0", date(2027, 2, 22))
    assert (state.phase, state.next_phase, state.next_date) == (
        Phase.MAINTAINED,
        Phase.UNMAINTAINED,
        date(2028, 2, 22),
    )
    assert manifest.by_name("r2.0").transitions[1].estimated == date(2027, 2, 22)
    assert manifest.project.docs_as_of == date(2027, 2, 22)
    assert len(lines) == 4
    assert lines[1].endswith("# committed tables depend on this file and this date, never on the clock")


def test_an_answered_silence_is_not_acknowledged_any_longer() -> None:
    manifest, lines = after(Advance("r1.9", date(2023, 10, 26)))
    assert manifest.by_name("r1.9").overdue_ack is None
    assert status_of(manifest, "r1.9", date(2023, 10, 26)).next_date == date(2024, 1, 26)
    assert len(lines) == 3
    assert manifest.project.docs_as_of == date(2026, 11, 22)


def test_the_estimate_of_the_next_phase_can_be_given() -> None:
    manifest, _ = after(Advance("r1.9", date(2023, 10, 26), following=date(2023, 12, 24)))
    assert status_of(manifest, "r1.9", date(2023, 10, 26)).next_date == date(2023, 12, 24)
    text = TEXT.replace("estimated = 2023-10-26 }", 'estimated = 2023-10-26 }, { to = "EOL", estimated = 2024-01-26 }')
    manifest, _ = after(Advance("r1.9", date(2023, 10, 26), following=date(2024, 1, 1)), text)
    assert [step.estimated for step in manifest.by_name("r1.9").transitions] == [
        None,
        date(2023, 10, 26),
        date(2024, 1, 1),
    ]


def test_a_phase_can_be_left_out_where_the_graph_allows_it() -> None:
    manifest, _ = after(Advance("r1.6", date(2023, 1, 29), to=Phase.EOL))
    assert [step.to for step in manifest.by_name("r1.6").transitions] == [Phase.MAINTAINED, Phase.EOL]
    text = TEXT.replace("estimated = 2023-01-29 }", 'estimated = 2023-01-29 }, { to = "EOL", estimated = 2023-02-01 }')
    manifest, lines = after(Advance("r1.6", date(2023, 1, 28), to=Phase.EOL), text)
    assert manifest.by_name("r1.6").transitions[1].estimated == date(2023, 2, 1)
    assert len(lines) == 3


def test_what_breaks_the_policy_needs_a_reason_which_is_written_down() -> None:
    early = Advance("r2.0", date(2026, 12, 22))
    with pytest.raises(ReleaseError, match=r"30 days[\s\S]*give a --reason"):
        after(early)
    manifest, lines = after(Advance("r2.0", date(2026, 12, 22), reason='done, says "everybody" \\o/'))
    (exception,) = manifest.by_name("r2.0").exceptions
    assert (exception.rule, exception.granted) == ("duration", NOW)
    assert exception.reason == 'done, says "everybody" \\o/'
    assert manifest.project.docs_as_of == NOW
    assert [line for line in lines if line.startswith("+exceptions")]
    assert [problem for problem in check(manifest, date(2026, 12, 22)) if problem.subject == "r2.0"] == []


def test_a_second_exception_stands_beside_the_first() -> None:
    spare = 'exceptions = [{ rule = "order", granted = 2026-11-22, reason = "just in case" }] # kept'
    text = TEXT.replace('[[branch]]\nname = "r2.0"\n', f'[[branch]]\nname = "r2.0"\n{spare}\n')
    manifest, lines = after(Advance("r2.0", date(2026, 12, 22), reason="finished early"), text)
    assert [exception.rule for exception in manifest.by_name("r2.0").exceptions] == ["order", "duration"]
    assert any(line.startswith("+exceptions") and line.endswith("# kept") for line in lines)


def test_a_new_branch_begins_with_planning() -> None:
    manifest, lines = after(Advance("r2.1", date(2026, 12, 1), to=Phase.PLANNING))
    assert [branch.name for branch in manifest.branch][-2:] == ["r2.0", "r2.1"]
    assert status_of(manifest, "r2.1", date(2026, 12, 1)).next_date == date(2027, 3, 1)
    assert len([line for line in lines if line.startswith("-")]) == 1
    with pytest.raises(UsageError, match=r"unknown branch 'r2\.1'[\s\S]*--to Planning"):
        after(Advance("r2.1", date(2026, 12, 1)))


def test_a_cancelled_branch_loses_its_estimates() -> None:
    manifest, _ = after(Advance("r2.0", date(2026, 12, 24), to=Phase.CANCELLED))
    assert [step.to for step in manifest.by_name("r2.0").transitions] == [Phase.DEVELOPMENT, Phase.CANCELLED]


@pytest.mark.parametrize(
    ("step", "error", "words"),
    [
        (Advance("r2.0", date(2030, 1, 2)), UsageError, "a day up to today, 2030-01-01"),
        (Advance("r1.5", date(2023, 1, 1)), UsageError, "is in EOL, which is final"),
        (Advance("r2.0", date(2027, 2, 22), to=Phase.EOL), ManifestError, "after Development: Maintained, Cancelled"),
        (Advance("r2.0", date(2025, 2, 22)), ManifestError, "on or after 2026-11-22"),
        (Advance("r2.0", date(2027, 2, 22), following=date(2027, 1, 1)), ManifestError, "Unmaintained on or after"),
        (Advance("r2.0", date(2026, 12, 22), reason="short"), ManifestError, "at least 8 characters"),
    ],
)
def test_a_step_that_is_not_legal_is_refused(step: Advance, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        after(step)
    assert words in str(caught.value)


@st.composite
def lives(draw: st.DrawFn) -> list[Advance]:
    """The whole life of a new branch: each step legal, on days that never fall, some with an estimate of the next."""
    first = draw(st.sampled_from([Phase.PLANNING, Phase.DEVELOPMENT]))
    walk = [first]
    while walk[-1] not in FINAL:
        walk.append(draw(st.sampled_from(NEXT[walk[-1]])))
    day, steps = date(2026, 11, 22), []
    for to in walk:
        day += timedelta(days=draw(st.integers(0, 300)))
        following = day + timedelta(days=draw(st.integers(0, 500))) if draw(st.booleans()) else None
        steps.append(Advance("r3.0", day, to, following, reason="drawn from a hat"))
    return steps


@given(lives())
@settings(max_examples=15, deadline=None)
def test_a_life_goes_through_the_manifest_and_touches_nothing_else(steps: list[Advance]) -> None:
    text = TEXT
    for step in steps:
        text = advanced(text, step, PATH, max(step.on, date(2026, 11, 22)))
        branch = parse_manifest(text, PATH).by_name("r3.0")
        state = branch_status(branch, step.on)
        assert state is not None
        assert (state.phase, state.since) == (step.to, step.on)
        if step.to and step.to not in FINAL:
            assert state.next_date == (step.following or add_months(step.on, limit(step.to)))
    head, _, rest = text.partition('\n[[branch]]\nname = "r3.0"\n')
    tail = rest.partition("\n\n")[2]
    before = [line for line in TEXT.splitlines() if not line.startswith("docs_as_of")]
    assert [line for line in f"{head}\n{tail}".splitlines() if not line.startswith("docs_as_of")] == before
    old, new = tomllib.loads(TEXT), tomllib.loads(text)
    assert new.pop("branch")[:-1] == old.pop("branch")
    assert {**new, "project": None} == {**old, "project": None}


def limit(phase: Phase) -> int:
    return parse_manifest(TEXT, PATH).policy.months[phase][1]
