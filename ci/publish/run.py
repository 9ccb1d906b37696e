"""Runs a publication from its journal: from the start, or from where the last run ended, however it ended."""

from __future__ import annotations

import getpass
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ci import report
from ci.paths import state_dir
from ci.publish import announcement
from ci.publish.errors import RefusedError
from ci.publish.gate import Gate
from ci.publish.journal import Journal
from ci.publish.lock import Clock, Lock
from ci.publish.material import Release
from ci.publish.plan import Plan, Step, make
from ci.publish.steps import Targets, Tester, Worker
from ci.trust.keys import SigningKey, TrustedKey


def utc_now() -> datetime:
    return datetime.now(UTC)


def journal_path(plan: Plan, folder: Path | None = None) -> Path:
    """The journal of a plan; another plan, or another target, has another."""
    return (folder or state_dir() / "publications") / f"{plan.version}-{plan.digest[:16]}.jsonl"


def _nothing(step: Step) -> None:
    """What happens around a step where nobody listens."""


@dataclass(frozen=True)
class Outcome:
    """What a run did: the steps of this run, those that an earlier one had done, and the index's serial now."""

    done: tuple[str, ...]
    earlier: int
    serial: int


@dataclass(frozen=True)
class Publisher:
    """All that a publication needs. `gate` judges what is not announced yet; `before` and `after` are told of each step."""

    targets: Targets
    key: SigningKey
    trusted: Sequence[TrustedKey]
    tester: Tester
    gate: Gate | None = None
    clock: Clock = utc_now
    journals: Path | None = None
    before: Callable[[Step], None] = _nothing
    after: Callable[[Step], None] = _nothing
    holder: str = field(default_factory=lambda: f"{getpass.getuser()} on {platform.node()}, process {os.getpid()}")

    def plan(self, release: Release) -> Plan:
        return make(release, self.targets.store.where, self.targets.registry.where)

    def check(self, release: Release) -> None:
        """Refuse what cannot be published, without writing anything."""
        self._worker(release, "").preflight()
        self._judge(release)

    def _judge(self, release: Release) -> None:
        """What the index names already is finished even if more is known about its packages by now."""
        known, _ = announcement.read(self.targets.store, self.trusted)
        if self.gate and release.version not in known.versions:
            self.gate.check(release, self.trusted)

    def _worker(self, release: Release, token: str) -> Worker:
        lock = Lock(self.targets.store, token, f"{self.holder}, publishing {release.version}", self.clock)
        return Worker(release, self.targets, self.key, self.trusted, self.tester, self.clock, lock)

    def publish(self, release: Release, confirmed: str) -> Outcome:
        """Carry out the plan with the digest `confirmed`; RefusedError when the plan is another by now."""
        plan = self.plan(release)
        if confirmed != plan.digest:
            fix = "look at the plan again and confirm its digest"
            raise RefusedError("the plan is not the one confirmed", expected=plan.digest, got=confirmed, fix=fix)
        self._judge(release)
        with Journal(journal_path(plan, self.journals)).open() as journal:
            return self._run(plan, release, journal)

    def _run(self, plan: Plan, release: Release, journal: Journal) -> Outcome:
        worker = self._worker(release, journal.token)
        worker.lock.take()
        earlier = len(journal.done)
        done = []
        try:
            worker.preflight()
            for number, step in enumerate(plan.steps, 1):
                if step.id in journal.done:
                    continue
                report.say(f"[{number}/{len(plan.steps)}] {step.id}")
                self.before(step)
                worker.lock.renew()
                worker.perform(step)
                journal.note(step.id)
                self.after(step)
                done.append(step.id)
        finally:
            worker.lock.release()
        known, _ = announcement.read(self.targets.store, self.trusted)
        return Outcome(tuple(done), earlier, known.serial)
