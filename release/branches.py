"""Branches of the manifest: phases, dated transitions, the policy on durations, and what may break it."""

from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, model_validator

from release.fields import BranchName, Day, Int, Reason, Record, broken, minor


class Phase(StrEnum):
    """What a branch is for, in the order of its life."""

    PLANNING = "Planning"
    DEVELOPMENT = "Development"
    MAINTAINED = "Maintained"
    UNMAINTAINED = "Unmaintained"
    EOL = "EOL"
    CANCELLED = "Cancelled"


LONGEST = 120  # months in a phase

P = Phase
FINAL = (P.EOL, P.CANCELLED)
FIRST = (P.PLANNING, P.DEVELOPMENT, P.MAINTAINED)
NEXT: dict[Phase, tuple[Phase, ...]] = {
    P.PLANNING: (P.DEVELOPMENT, P.CANCELLED),
    P.DEVELOPMENT: (P.MAINTAINED, P.CANCELLED),
    P.MAINTAINED: (P.UNMAINTAINED, P.EOL, P.CANCELLED),
    P.UNMAINTAINED: (P.EOL, P.CANCELLED),
    P.EOL: (),
    P.CANCELLED: (),
}


class Policy(Record):
    """The shortest and the longest stay in each phase that has one, in calendar months."""

    months: dict[Phase, tuple[Int, Int]]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        timed = [phase for phase in Phase if phase not in FINAL]
        if set(self.months) != set(timed):
            expected, got = f"a range for each of {', '.join(timed)}", ", ".join(self.months)
            raise broken(("months",), expected, got, "name each phase once")
        for phase, (low, high) in self.months.items():
            if not 0 <= low <= high <= LONGEST:
                expected = f"[shortest, longest] between 0 and {LONGEST}"
                raise broken(("months", phase), expected, f"[{low}, {high}]", "swap them, or make the phase shorter")
        return self


class Transition(Record):
    """A branch's change to phase `to`. The estimate stays when the actual date is added."""

    to: Phase
    actual: Day | None = None
    estimated: Day | None = None

    @model_validator(mode="after")
    def _dated(self) -> Self:
        if self.planned is None:
            raise broken(("to",), "`actual`, `estimated` or both", "no date", "date the transition or remove it")
        return self

    @property
    def planned(self) -> date | None:
        """The best known date: the actual one, else the estimate."""
        return self.actual or self.estimated


class PolicyException(Record):
    """History that breaks the policy on `rule`, accepted on the day `granted`."""

    rule: Literal["duration", "order"]
    granted: Day
    reason: Reason


class OverdueAck(Record):
    """Someone knows that an estimate has passed; the silence ends with the day `until`."""

    until: Day
    reason: Reason


class Branch(Record):
    """A release branch and its transitions, in order."""

    name: BranchName
    transitions: tuple[Transition, ...] = Field(min_length=1)
    exceptions: tuple[PolicyException, ...] = ()
    overdue_ack: OverdueAck | None = None

    @model_validator(mode="after")
    def _legal(self) -> Self:
        first = self.transitions[0]
        if first.to not in FIRST:
            raise broken(("transitions", 0, "to"), f"a first phase: {', '.join(FIRST)}", first.to, "start earlier")
        for index, (before, after) in enumerate(pairwise(self.transitions), start=1):
            self._check_step(index, before, after)
        if self.overdue_ack and all(step.actual for step in self.transitions):
            raise broken(("overdue_ack",), "an estimate to wait for", "confirmed dates only", "remove overdue_ack")
        return self

    def _check_step(self, index: int, before: Transition, after: Transition) -> None:
        if after.to not in NEXT[before.to]:
            allowed = ", ".join(NEXT[before.to]) or "nothing: the phase is final"
            raise broken(("transitions", index, "to"), f"after {before.to}: {allowed}", after.to, "correct the order")
        if after.actual and not before.actual:
            fix = f"date {before.to}, or remove it if it never happened"
            raise broken(("transitions", index, "actual"), f"{before.to} confirmed first", after.actual, fix)
        if before.planned and after.planned and after.planned < before.planned:
            at = ("transitions", index, "actual" if after.actual else "estimated")
            expected = f"{self.name} in {after.to} on or after {before.planned}"
            raise broken(at, expected, after.planned, "put the dates in order")

    @property
    def number(self) -> tuple[int, int]:
        """(2, 0) for r2.0: the sort key."""
        return minor(self.name)

    def planned(self, phase: Phase) -> date | None:
        """The best known date on which the branch enters `phase`."""
        return next((step.planned for step in self.transitions if step.to == phase), None)

    def excuses(self, rule: str) -> bool:
        """Whether an exception covers `rule`."""
        return any(exception.rule == rule for exception in self.exceptions)
