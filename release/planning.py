"""What is coming: the dated changes of branches, systems, Pythons and stacks, up to a year ahead."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from release.branches import FINAL, NEXT, Branch, Phase
from release.lifecycle import add_months, branch_status, newest_first
from release.model import Manifest
from release.rows import Drop

Certainty = Literal["overdue", "estimated", "policy", "fixed"]
SUFFIX: dict[Certainty, str] = {
    "overdue": " (overdue)",
    "estimated": " (estimated)",
    "policy": " at the latest",
    "fixed": "",
}
MONTHS = 12


@dataclass(frozen=True, order=True)
class Event:
    """On `day`, `subject` does `what`. `policy` is the last day that the policy allows, where nobody has estimated one;
    an `overdue` event should have happened by now; `fixed` ones come from outside (the end of a system) or are written."""

    day: date
    subject: str
    what: str
    certainty: Certainty

    @property
    def text(self) -> str:
        """The event in words, without its day."""
        return self.what + SUFFIX[self.certainty]


@dataclass(frozen=True)
class Stay:
    """A branch's time in a phase, from `start` up to `end`; None: it stays. `known`, `certain`: both have happened."""

    branch: str
    phase: Phase
    start: date
    end: date | None
    known: bool
    certain: bool


def plan(manifest: Manifest, as_of: date, months: int = MONTHS) -> list[Event]:
    """What changes from `as_of` for `months` months, and what is overdue on it; by day, then subject."""
    limit = add_months(as_of, months)
    events = [event for branch in manifest.branch for event in _branch_events(branch, manifest, as_of)]
    events += _endings(manifest)
    return sorted(event for event in events if event.certainty == "overdue" or as_of <= event.day <= limit)


def stays(manifest: Manifest, as_of: date) -> list[Stay]:
    """Each begun branch's phases with what is known or to be expected of them, newest branch first."""
    return [stay for branch in newest_first(manifest) for stay in _stays(branch, manifest, as_of)]


def _expected(branch: Branch, manifest: Manifest, as_of: date) -> Iterator[tuple[Phase, date, Certainty]]:
    """The phases still to come: as estimated, then at the policy's latest day for each."""
    state = branch_status(branch, as_of)
    if state is None:
        return
    phase, day = state.phase, state.since
    estimates = {step.to: step.estimated for step in branch.transitions if step.estimated}
    confirmed = {step.to for step in branch.transitions if step.actual and step.actual <= as_of}
    estimates = {to: when for to, when in estimates.items() if to not in confirmed}
    while phase not in FINAL:
        follower = next((to for to in NEXT[phase] if to in estimates), NEXT[phase][0])
        estimate = estimates.get(follower)
        day = estimate or add_months(day, manifest.policy.months[phase][1])
        certainty: Certainty = "policy" if estimate is None else "overdue" if estimate < as_of else "estimated"
        yield follower, day, certainty
        phase = follower


def _branch_events(branch: Branch, manifest: Manifest, as_of: date) -> Iterator[Event]:
    for phase, day, certainty in _expected(branch, manifest, as_of):
        yield Event(day, branch.name, str(phase), certainty)
        if certainty == "overdue":
            break  # what follows depends on a day that nobody knows
    if branch.overdue_ack:
        yield Event(branch.overdue_ack.until, branch.name, "last day of the acknowledged silence", "fixed")


def _stays(branch: Branch, manifest: Manifest, as_of: date) -> Iterator[Stay]:
    done = [(step.to, step.actual) for step in branch.transitions if step.actual and step.actual <= as_of]
    coming = list(_expected(branch, manifest, as_of))
    marks = [(to, day, True) for to, day in done]
    marks += [(to, max(day, as_of), False) for to, day, _ in coming]
    ends = [*((day, certain) for _, day, certain in marks[1:]), *([(None, False)] if marks else [])]
    for (phase, start, known), (end, certain) in zip(marks, ends, strict=True):
        yield Stay(branch.name, phase, start, end, known, certain)


def _endings(manifest: Manifest) -> Iterator[Event]:
    """The last days of what the rows stand on, and the days on which rows leave before."""
    rows: list[tuple[str, date | None, Drop | None]] = []
    rows += [(row.title, row.ends.date, row.drop) for row in manifest.os.values()]
    rows += [(f"Python {name}", row.ends, row.drop) for name, row in manifest.python.items()]
    for hardware in manifest.hardware.values():
        rows += [(stack.title, stack.ends.date, stack.drop) for stack in hardware.stack.values()]
    for title, end, drop in rows:
        if drop:
            yield Event(drop.on, title, "leaves the matrix", "fixed")
        if end and not (drop and drop.on == end):
            yield Event(end, title, "support ends", "fixed")
