"""What holds for every branch and every date."""

from calendar import monthrange
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from release.branches import FIRST, NEXT, Branch, Phase, Transition
from release.guards import may_build, may_merge, may_publish, may_tag
from release.lifecycle import BranchStatus, add_months, branch_status, status
from release.model import load_manifest

MANIFEST = load_manifest()
DAYS = st.dates(date(2015, 1, 1), date(2035, 12, 31))
RANK = {phase: rank for rank, phase in enumerate(Phase)}


@st.composite
def branches(draw: st.DrawFn) -> Branch:
    """A legal branch: a walk through NEXT, its first part confirmed, the rest estimated."""
    walk = [draw(st.sampled_from(FIRST))]
    for _ in range(draw(st.integers(0, 4))):
        walk += [draw(st.sampled_from(NEXT[walk[-1]]))] if NEXT[walk[-1]] else []
    days = sorted(draw(st.lists(DAYS, min_size=len(walk), max_size=len(walk))))
    confirmed = draw(st.integers(0, len(walk)))
    steps = [
        Transition(to=to, **({"actual": day} if index < confirmed else {"estimated": day}))
        for index, (to, day) in enumerate(zip(walk, days, strict=True))
    ]
    return Branch(name="r3.0", transitions=tuple(steps))


@given(branches(), DAYS, DAYS)
def test_time_never_takes_a_branch_back(branch: Branch, one: date, other: date) -> None:
    early, late = (branch_status(branch, day) for day in sorted((one, other)))
    if early:
        assert late is not None
        assert RANK[early.phase] <= RANK[late.phase]
        assert early.since <= late.since
        assert early.released in (None, late.released)


@given(branches(), DAYS)
def test_a_visible_branch_has_one_current_phase_that_has_begun(branch: Branch, day: date) -> None:
    state = branch_status(branch, day)
    begun = [step for step in branch.transitions if step.actual and step.actual <= day]
    assert (state is None) == (not begun)
    if state:
        assert (state.phase, state.since) == (begun[-1].to, begun[-1].actual)
        assert state.since <= day
        assert state.eol is None or state.phase == Phase.EOL
        assert state.overdue_since is None or state.overdue_since < day


@given(branches(), DAYS)
def test_later_confirmations_do_not_change_an_earlier_day(branch: Branch, day: date) -> None:
    known = tuple(step for step in branch.transitions if step.estimated or (step.actual and step.actual <= day))
    state = branch_status(branch, day)
    if state:
        assert branch_status(branch.model_copy(update={"transitions": known}), day) == state


@given(DAYS)
def test_the_table_lists_each_begun_branch_once_newest_first(day: date) -> None:
    names = [state.name for state in status(MANIFEST, day)]
    begun = [branch.name for branch in MANIFEST.branch if (step := branch.transitions[0]).actual and step.actual <= day]
    assert names == begun[::-1]


@given(DAYS, st.integers(0, 60), st.integers(0, 60))
def test_month_arithmetic(day: date, one: int, other: int) -> None:
    end = add_months(day, one)
    assert (end.year * 12 + end.month) - (day.year * 12 + day.month) == one
    assert end.day == min(day.day, monthrange(end.year, end.month)[1])
    assert (add_months(day, one) <= add_months(day, other)) == (one <= other)
    assert add_months(day, one) <= add_months(day + timedelta(days=1), one)


@given(st.lists(st.sampled_from(Phase), min_size=1, max_size=5))
@settings(max_examples=200)
def test_a_branch_is_accepted_exactly_when_each_step_is_legal(walk: list[Phase]) -> None:
    steps = tuple(Transition(to=to, actual=date(2020, 1, 1 + index)) for index, to in enumerate(walk))
    legal = walk[0] in FIRST and all(after in NEXT[before] for before, after in pairwise(walk))
    try:
        Branch(name="r3.0", transitions=steps)
    except ValidationError:
        assert not legal
    else:
        assert legal


@given(st.sampled_from(Phase), st.none() | DAYS, st.sampled_from(["2.0.0.dev0", "2.0.0rc1", "2.0.0"]))
def test_what_may_be_published_may_be_tagged_built_and_merged(phase: Phase, due: date | None, version: str) -> None:
    day = date(2026, 11, 22)
    state = BranchStatus("r2.0", day, phase, day, None, Phase.EOL if due else None, due)
    ladder = [bool(may_publish(state, version)), bool(may_tag(state)), bool(may_build(state)), bool(may_merge(state))]
    assert ladder == sorted(ladder)
    if state.overdue_since:
        assert not may_publish(state, version)
