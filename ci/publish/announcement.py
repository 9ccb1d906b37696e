"""The signed index: what is published, in one object that changes last and only ever forwards."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ci.publish.errors import RefusedError
from ci.publish.material import Release
from ci.publish.store import Store
from ci.trust.bundle import TamperedError, canonical, seal, unseal
from ci.trust.keys import SigningKey, TrustedKey

KEY = "index.json"
MEDIA_TYPE = "application/vnd.mindspore.index.v1+json"
VALID = timedelta(days=90)
FORMAT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Announcement:
    """The content of the index. `serial` grows with every change; after `expires` nobody trusts it any more."""

    serial: int
    issued: str
    expires: str
    versions: Mapping[str, Mapping[str, Any]]

    def payload(self) -> bytes:
        return canonical(vars(self))


EMPTY = Announcement(0, "", "", {})


def stamp(moment: datetime) -> str:
    """A moment as all our files spell it: UTC, to the second, whatever zone this machine lives in."""
    return moment.astimezone(UTC).strftime(FORMAT)


def moment(text: str) -> datetime:
    return datetime.strptime(text, FORMAT).replace(tzinfo=UTC)


def describe(release: Release, now: datetime) -> dict[str, Any]:
    """What the index says about a release."""
    files = {
        file.path: {"row": file.row, "sha256": file.sha256, "size": file.size}
        | ({"requires_python": file.requires_python} if file.is_wheel else {})
        for file in release.files
    }
    images = [
        {
            "repository": index.repository,
            "tags": list(index.tags),
            "digest": index.digest,
            "members": [
                {"row": member.row, "kind": member.kind, "digest": member.image.manifest.digest}
                for member in index.members
            ],
        }
        for index in release.indexes
    ]
    return {
        "published": stamp(now),
        "complete": release.complete,
        "scope": list(release.scope),
        "files": files,
        "images": images,
    }


def same_release(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two descriptions differ in nothing but the day, and what became of the release since."""
    keys = ("complete", "scope", "files", "images")
    return all(one.get(key) == other.get(key) for key in keys)


def read(store: Store, keys: Sequence[TrustedKey]) -> tuple[Announcement, str | None]:
    """The store's index, signed by one of `keys`, and its version for `Store.swap`; an empty one before the first."""
    found = store.read(KEY)
    if found is None:
        return EMPTY, None
    data, version = found
    text = json.loads(unseal(data, keys, MEDIA_TYPE, f"{store.where}/{KEY}"))
    return Announcement(**text), version


def check_fresh(known: Announcement, now: datetime, seen: int, where: str) -> None:
    """Refuse an index that has expired, comes from the future, or is older than one seen before (a rollback)."""
    if known.serial < seen:
        fix = "the store was set back to an old state: do not use it"
        expected = f"serial {seen} or later"
        raise TamperedError("the index went backwards", where=where, expected=expected, got=f"{known.serial}", fix=fix)
    if known.serial and moment(known.expires) < now:
        fix = "the release team signs it anew with `python3 tasks.py release.renew`"
        raise TamperedError("the index has expired", where=where, got=f"{known.expires}, it is {stamp(now)}", fix=fix)
    check_clock(known, now, where)


def check_clock(known: Announcement, now: datetime, where: str) -> None:
    """Refuse an index from the future: one of the two clocks is wrong, and what is signed by it would expire wrongly."""
    if known.serial and moment(known.issued) > now + timedelta(hours=1):
        fix = "set this machine's clock"
        raise TamperedError(
            "the index is from the future", where=where, got=f"{known.issued}, now {stamp(now)}", fix=fix
        )


def with_release(known: Announcement, release: Release, now: datetime) -> Announcement | None:
    """The next index, with `release` in it; None if it is there; RefusedError if something else is under its name."""
    described = describe(release, now)
    if (there := known.versions.get(release.version)) is not None:
        if same_release(there, described):
            return None
        fix, got = "publish the change as a new version", f"other content than on {there.get('published')}"
        raise RefusedError(f"{release.version} is published already", where=KEY, got=got, fix=fix)
    return following(known, {**known.versions, release.version: described}, now)


def following(known: Announcement, versions: Mapping[str, Mapping[str, Any]], now: datetime) -> Announcement:
    """The index after `known`, valid from now on."""
    return Announcement(known.serial + 1, stamp(now), stamp(now + VALID), versions)


def commit(store: Store, key: SigningKey, new: Announcement, expected: str | None) -> str:
    """Put the signed index in the place of the version `expected`; LockedError if somebody else was first."""
    return store.swap(KEY, seal(key, MEDIA_TYPE, new.payload()), expected)
