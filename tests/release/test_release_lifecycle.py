"""Status and checks on given dates."""

from collections.abc import Callable
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from release.branches import NEXT, Phase
from release.errors import UsageError
from release.lifecycle import add_months, check, horizon, outlived, status, status_of
from release.model import Manifest, load_manifest
from release.tables import cells, label

NOW = date(2026, 11, 22)


def found(manifest: Manifest, as_of: date) -> list[tuple[str, str]]:
    return [(problem.subject, problem.rule) for problem in check(manifest, as_of)]


def test_today_the_old_branches_are_overdue_and_r2_0_develops(manifest: Manifest) -> None:
    assert cells(status(manifest, NOW)[0]) == ("r2.0", "Development", "", "Maintained 2027-02-22 estimated", "")
    assert label(status_of(manifest, "r1.9", NOW)) == "Maintained (overdue since 2023-10-26)"
    assert [state.name for state in status(manifest, NOW) if state.overdue_since] == ["r1.9", "r1.8", "r1.7", "r1.6"]


def test_a_branch_is_hidden_until_it_begins(manifest: Manifest) -> None:
    assert "r2.0" not in [state.name for state in status(manifest, date(2026, 11, 21))]
    assert status(manifest, date(2020, 3, 27)) == []
    with pytest.raises(UsageError, match=r"unknown branch 'r2\.0'[\s\S]*as of 2022-11-01"):
        status_of(manifest, "r2.0", date(2022, 11, 1))


def test_a_later_actual_date_is_ignored_and_unknown_dates_stay_absent(manifest: Manifest) -> None:
    state = status_of(manifest, "r1.5", date(2022, 10, 14))
    assert (state.phase, state.next_phase, state.next_date, state.eol) == (Phase.MAINTAINED, None, None, None)
    assert status_of(manifest, "r1.5", date(2022, 10, 15)).eol == date(2022, 10, 15)


def test_an_estimate_is_due_on_its_day_and_overdue_the_day_after(manifest: Manifest) -> None:
    assert status_of(manifest, "r1.9", date(2023, 10, 26)).overdue_since is None
    assert status_of(manifest, "r1.9", date(2023, 10, 27)).overdue_since == date(2023, 10, 26)


def test_an_estimate_stays_after_the_actual_date_is_added(edited: Callable[..., Path]) -> None:
    manifest = load_manifest(edited(("estimated = 2027-02-22", "actual = 2027-03-01, estimated = 2027-02-22")))
    before, after = (status_of(manifest, "r2.0", day) for day in (date(2027, 2, 28), date(2027, 3, 1)))
    assert horizon(manifest) == date(2028, 3, 1)
    assert (before.phase, before.overdue_since) == (Phase.DEVELOPMENT, date(2027, 2, 22))
    assert (after.phase, after.released, after.overdue_since) == (Phase.MAINTAINED, date(2027, 3, 1), None)


def test_an_estimated_end_of_life_is_shown_as_such(edited: Callable[..., Path]) -> None:
    later = 'estimated = 2023-10-26 }, { to = "EOL", estimated = 2024-01-26 }'
    manifest = load_manifest(edited(("estimated = 2023-10-26 }", later)))
    assert cells(status_of(manifest, "r1.9", date(2022, 11, 1)))[3:] == (
        "Unmaintained 2023-10-26 estimated",
        "2024-01-26 estimated",
    )


def test_the_manifest_is_in_order_on_its_own_date(manifest: Manifest) -> None:
    assert check(manifest, manifest.project.docs_as_of) == []
    assert check(manifest, date(2022, 11, 1)) == []


def test_an_acknowledgement_expires(manifest: Manifest) -> None:
    branches = ["r1.6", "r1.7", "r1.8", "r1.9"]
    assert [name for name, rule in found(manifest, date(2027, 6, 1)) if rule == "overdue"] == ["r2.0"]
    assert [name for name, rule in found(manifest, date(2027, 6, 2)) if rule == "overdue"] == [*branches, "r2.0"]
    message = str(check(manifest, date(2027, 6, 2))[0])
    assert message.startswith("r1.6: Unmaintained was due on 2023-01-29 and its acknowledgement ended on 2027-06-01")


def test_a_silence_without_acknowledgement_is_a_problem(edited: Callable[..., Path]) -> None:
    ack = 'overdue_ack = { until = 2027-06-01, reason = "no record confirms that the branch left Maintained" }'
    assert found(load_manifest(edited((ack, ""))), NOW) == [("r1.6", "overdue")]


@pytest.mark.parametrize("name", ["r0.1", "r0.2", "r0.3", "r0.6", "r1.2"])
def test_history_outside_the_policy_needs_its_exception(name: str, manifest: Manifest) -> None:
    bare = manifest.by_name(name).model_copy(update={"exceptions": ()})
    others = tuple(bare if branch.name == name else branch for branch in manifest.branch)
    assert found(manifest.model_copy(update={"branch": others}), NOW) == [(name, "duration")]


def test_a_branch_that_outlived_newer_ones_needs_its_exception(manifest: Manifest) -> None:
    assert outlived(manifest, NOW) == {"r0.5": ["r0.6", "r0.7"]}
    same_day = manifest.by_name("r0.7").model_copy(
        update={"transitions": (manifest.by_name("r0.7").transitions[0], manifest.by_name("r0.5").transitions[1])}
    )
    assert outlived(manifest.model_copy(update={"branch": (manifest.by_name("r0.5"), same_day)}), NOW) == {}
    bare = tuple(branch.model_copy(update={"exceptions": ()}) for branch in manifest.branch if branch.name != "r0.1")
    assert ("r0.5", "order") in found(manifest.model_copy(update={"branch": bare}), NOW)


def test_379_days_is_named(manifest: Manifest) -> None:
    bare = manifest.by_name("r1.2").model_copy(update={"exceptions": ()})
    problems = check(manifest.model_copy(update={"branch": (bare, manifest.by_name("r2.0"))}), NOW)
    assert str(problems[0]) == (
        "r1.2: Maintained from 2021-04-15 to 2022-04-29 (379 days), the policy says 6 to 12 months"
    )


def test_an_exception_that_excuses_nothing_is_a_problem(edited: Callable[..., Path]) -> None:
    spare = 'exceptions = [{ rule = "order", granted = 2026-11-22, reason = "just in case" }]\n'
    path = edited(('name = "r1.3"\n', f'name = "r1.3"\n{spare}'))
    assert found(load_manifest(path), NOW) == [("r1.3", "exception")]


def test_a_living_branch_needs_a_dated_next_phase(edited: Callable[..., Path]) -> None:
    path = edited((', { to = "Maintained", estimated = 2027-02-22 }', ""))
    assert ("r2.0", "undated") in found(load_manifest(path), NOW)


def test_a_cancelled_branch_may_be_short_and_takes_no_next_phase(edited: Callable[..., Path]) -> None:
    path = edited(('{ to = "Maintained", estimated = 2027-02-22 }', '{ to = "Cancelled", actual = 2026-11-30 }'))
    manifest = load_manifest(path)
    assert status_of(manifest, "r2.0", date(2026, 12, 1)).phase == Phase.CANCELLED
    assert ("r2.0", "duration") not in found(manifest, date(2026, 12, 1))


def test_support_that_ends_is_noticed(manifest: Manifest, edited: Callable[..., Path]) -> None:
    assert horizon(manifest) == date(2028, 2, 22)
    assert ("python 3.11", "support") in found(manifest, date(2027, 11, 1))
    assert ("os debian12", "support") in found(manifest, date(2028, 7, 1))
    assert ("os debian12", "support") not in found(manifest, date(2028, 6, 30))
    drop = 'drop = { on = 2027-10-31, reason = "upstream fixes stop while r2.0 is still Maintained" }'
    assert found(load_manifest(edited((drop, ""))), NOW) == [("python 3.11", "support")]
    assert found(load_manifest(edited(("on = 2027-10-31", "on = 2027-11-30"))), NOW) == [("python 3.11", "support")]


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (date(2020, 8, 31), 6, date(2021, 2, 28)),
        (date(2019, 8, 31), 6, date(2020, 2, 29)),
        (date(2020, 12, 31), 9, date(2021, 9, 30)),
        (date(2026, 11, 22), 3, date(2027, 2, 22)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2025, 12, 31), 0, date(2025, 12, 31)),
    ],
)
def test_calendar_months_are_clamped(start: date, months: int, end: date) -> None:
    assert add_months(start, months) == end


def test_the_legal_transitions() -> None:
    legal = {(before, after) for before, afters in NEXT.items() for after in afters}
    chain = [Phase.PLANNING, Phase.DEVELOPMENT, Phase.MAINTAINED, Phase.UNMAINTAINED, Phase.EOL]
    cancelled = {(phase, Phase.CANCELLED) for phase in chain[:-1]}
    assert legal == set(pairwise(chain)) | {(Phase.MAINTAINED, Phase.EOL)} | cancelled
