"""One publisher at a time: a lock on the target itself, taken and renewed by compare-and-swap."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from ci.errors import CheckError
from ci.publish.announcement import moment, stamp
from ci.publish.errors import LockedError
from ci.publish.store import Store
from ci.trust.bundle import canonical

KEY = "publish.lock"
HELD = timedelta(minutes=15)
Clock = Callable[[], datetime]


class Lock:
    """A claim on a store. `token` comes from the journal, so that a run that was killed finds its own lock again."""

    def __init__(self, store: Store, token: str, holder: str, clock: Clock) -> None:
        self.store, self.token, self.holder, self.clock = store, token, holder, clock
        self.until = clock()

    def take(self) -> None:
        """Claim the store or renew the claim; LockedError says who has it, for what, and until when."""
        found = self.store.read(KEY)
        held = json.loads(found[0]) if found else {"token": ""}
        now = self.clock()
        if held["token"] not in ("", self.token) and moment(held["until"]) > now:
            raise self._refusal(held)
        until = now + HELD
        claim = {"token": self.token, "holder": self.holder, "since": stamp(now), "until": stamp(until)}
        try:
            self.store.swap(KEY, canonical(claim), found[1] if found else None)
        except LockedError:
            winner = self.store.read(KEY)
            raise self._refusal(json.loads(winner[0]) if winner else held) from None
        self.until = until

    def _refusal(self, held: dict[str, str]) -> LockedError:
        got = f"{held.get('holder', 'somebody')}, since {held.get('since')}, until {held.get('until')}"
        fix = "wait until it is done, or until the lock runs out, and run the same command again"
        return LockedError("another publisher is at work", where=f"{self.store.where}/{KEY}", got=got, fix=fix)

    def renew(self, *, surely: bool = False) -> None:
        """Extend the claim when a third of it is over, or `surely`; LockedError when it was lost meanwhile."""
        if surely or self.until - self.clock() < HELD * 2 / 3:
            self.take()

    def release(self) -> None:
        """Give the claim back. Where the store does not answer the claim runs out by itself."""
        with suppress(CheckError):
            found = self.store.read(KEY)
            if found and json.loads(found[0])["token"] == self.token:
                self.store.swap(KEY, canonical({"token": ""}), found[1])
