"""Where each branch stands on a date, and whether that is in order: pure functions of (manifest, date)."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Literal

from release.branches import FINAL, Branch, Phase, Policy, Transition
from release.errors import unknown
from release.model import Manifest

Rule = Literal["overdue", "undated", "duration", "order", "exception", "support"]


@dataclass(frozen=True)
class BranchStatus:
    """A branch on the day `as_of`; unknown dates are None. `next_date` and `eol_estimated` are estimates."""

    name: str
    as_of: date
    phase: Phase
    since: date
    released: date | None
    next_phase: Phase | None = None
    next_date: date | None = None
    eol: date | None = None
    eol_estimated: date | None = None

    @property
    def overdue_since(self) -> date | None:
        """The estimate that has passed without a confirmation."""
        return self.next_date if self.next_date and self.next_date < self.as_of else None


@dataclass(frozen=True)
class Problem:
    """Something out of order on a date. `subject` is a branch, an OS row or a Python row."""

    subject: str
    rule: Rule
    message: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.message}"


def add_months(day: date, months: int) -> date:
    """The same day `months` calendar months later, or that month's last day if it is shorter.

    >>> add_months(date(2020, 8, 31), 6)
    datetime.date(2021, 2, 28)
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def guard_day(manifest: Manifest, now: date) -> date:
    """The day that guards judge by: a clock behind the manifest does not bring an ended branch back."""
    return max(now, manifest.project.docs_as_of)


def newest_first(manifest: Manifest) -> list[Branch]:
    """The branches as tables list them: by number, falling."""
    return sorted(manifest.branch, key=lambda branch: branch.number, reverse=True)


def status(manifest: Manifest, as_of: date) -> list[BranchStatus]:
    """Every branch that has begun by `as_of`, newest first. Actual dates after `as_of` are ignored."""
    known = (branch_status(branch, as_of) for branch in newest_first(manifest))
    return [state for state in known if state]


def status_of(manifest: Manifest, name: str, as_of: date) -> BranchStatus:
    """One branch's status; UsageError lists the branches of `as_of` if `name` is none of them."""
    states = status(manifest, as_of)
    found = [state for state in states if state.name == name]
    if not found:
        raise unknown("branch", name, [state.name for state in states], f"as of {as_of}")
    return found[0]


def branch_status(branch: Branch, as_of: date) -> BranchStatus | None:
    """`branch` on `as_of`; None if it had not begun."""
    done = [step for step in branch.transitions if step.actual and step.actual <= as_of]
    if not done or done[-1].actual is None:
        return None
    coming = next((step for step in branch.transitions[len(done) :] if step.estimated), None)
    dates = {step.to: step.actual for step in done}
    estimates = {step.to: step.estimated for step in branch.transitions[len(done) :]}
    return BranchStatus(
        name=branch.name,
        as_of=as_of,
        phase=done[-1].to,
        since=done[-1].actual,
        released=dates.get(Phase.MAINTAINED),
        next_phase=coming.to if coming else None,
        next_date=coming.estimated if coming else None,
        eol=dates.get(Phase.EOL),
        eol_estimated=estimates.get(Phase.EOL),
    )


def check(manifest: Manifest, as_of: date) -> list[Problem]:
    """What is out of order on `as_of`: branches, the policy on durations and order, and the systems' support."""
    return [
        *(problem for branch in manifest.branch for problem in _check_branch(branch, manifest.policy, as_of)),
        *_check_order(manifest, as_of),
        *_check_exceptions(manifest),
        *check_support(manifest, as_of),
    ]


def _check_branch(branch: Branch, policy: Policy, as_of: date) -> Iterator[Problem]:
    state = branch_status(branch, as_of)
    if state is None:
        return
    if state.phase not in FINAL and state.next_date is None:
        yield Problem(branch.name, "undated", f"{state.phase} since {state.since}, with no dated next phase")
    yield from _check_overdue(branch, state)
    if not branch.excuses("duration"):
        yield from durations(branch, policy, as_of)


def _check_overdue(branch: Branch, state: BranchStatus) -> Iterator[Problem]:
    ack = branch.overdue_ack
    if state.overdue_since is None or (ack and state.as_of <= ack.until):
        return
    silence = f"its acknowledgement ended on {ack.until}" if ack else "nobody acknowledged it"
    due = f"{state.next_phase} was due on {state.overdue_since}"
    yield Problem(branch.name, "overdue", f"{due} and {silence}; confirm the date, or acknowledge with a reason")


def durations(branch: Branch, policy: Policy, as_of: date) -> Iterator[Problem]:
    """Stays shorter or longer than the policy, by the dates known on `as_of`; exceptions are not looked at."""
    dated = [(step.to, day) for step in branch.transitions if (day := _visible(step, as_of))]
    for (phase, start), (after, end) in pairwise(dated):
        low, high = policy.months[phase]
        late, early = end > add_months(start, high), end < add_months(start, low)
        if late or (early and after != Phase.CANCELLED):
            stay = f"{phase} from {start} to {end} ({(end - start).days} days)"
            yield Problem(branch.name, "duration", f"{stay}, the policy says {low} to {high} months")


def _visible(step: Transition, as_of: date) -> date | None:
    return step.actual if step.actual and step.actual <= as_of else step.estimated


def _check_order(manifest: Manifest, as_of: date) -> Iterator[Problem]:
    for name, later in outlived(manifest, as_of).items():
        if not manifest.by_name(name).excuses("order"):
            yield Problem(name, "order", f"outlived the newer {', '.join(later)}; branches end in the order they began")


def outlived(manifest: Manifest, as_of: date) -> dict[str, list[str]]:
    """For each branch ended by `as_of`, the newer branches that had ended before it."""
    ended = [(branch, state.eol) for branch in manifest.branch if (state := branch_status(branch, as_of)) and state.eol]
    found = {old.name: [new.name for new, e in ended if new.number > old.number and e < end] for old, end in ended}
    return {name: later for name, later in found.items() if later}


def _check_exceptions(manifest: Manifest) -> Iterator[Problem]:
    order = outlived(manifest, date.max)
    for branch in manifest.branch:
        needed = {"duration": any(durations(branch, manifest.policy, date.max)), "order": branch.name in order}
        for rule, real in needed.items():
            if branch.excuses(rule) and not real:
                yield Problem(branch.name, "exception", f"its exception to the {rule} rule excuses nothing; remove it")


def horizon(manifest: Manifest) -> date | None:
    """The last day on which the current branch may publish; None if its Maintained phase is not dated."""
    branch = manifest.by_name(manifest.project.branch)
    start = branch.planned(Phase.MAINTAINED)
    end = branch.planned(Phase.UNMAINTAINED) or branch.planned(Phase.EOL)
    return end or (add_months(start, manifest.policy.months[Phase.MAINTAINED][1]) if start else None)


def check_support(manifest: Manifest, as_of: date) -> list[Problem]:
    """Systems and Pythons that have ended by `as_of`, or end before the branch does without a `drop`."""
    limit = horizon(manifest)
    ends = [(f"os {name}", row.ends.date, row.drop) for name, row in manifest.os.items()]
    ends += [(f"python {name}", row.ends, row.drop) for name, row in manifest.python.items()]
    stacks = [stack for hardware in manifest.hardware.values() for stack in hardware.stack.items()]
    ends += [(name, stack.ends.date, stack.drop) for name, stack in stacks]
    found = []
    for subject, end, drop in ends:
        if drop and drop.on <= as_of and drop.on <= manifest.project.docs_as_of:
            continue  # the row has left the matrix
        if end and end < as_of:
            found.append(Problem(subject, "support", f"support ended on {end}; remove the row"))
        elif end and limit and end < limit and not drop:
            found.append(Problem(subject, "support", f"ends on {end}, before the branch ({limit}); give `drop` a date"))
        elif end and drop and drop.on > end:
            found.append(Problem(subject, "support", f"leaves the matrix on {drop.on}, after it ends on {end}"))
    return found
