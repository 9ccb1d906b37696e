"""What happens to a release after it is out: its end of life is attached, its index renewed, its staging cleaned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from ci import report
from ci.errors import CheckError
from ci.publish import announcement, pages
from ci.publish.announcement import Announcement
from ci.publish.lock import Lock
from ci.publish.run import Publisher
from ci.publish.steps import STAGING, write_page
from ci.trust.bundle import canonical

LIFECYCLE = "application/vnd.mindspore.lifecycle.v1+json"
END_OF_LIFE = "org.mindspore.end-of-life"


@contextmanager
def _locked(publisher: Publisher, what: str) -> Iterator[Lock]:
    lock = Lock(publisher.targets.store, uuid4().hex, f"{publisher.holder}, {what}", publisher.clock)
    lock.take()
    try:
        yield lock
    finally:
        lock.release()


def _change(publisher: Publisher, lock: Lock, edit: Callable[[Announcement], Mapping[str, Any]]) -> Announcement:
    """Swap the index for one with edited versions, and draw its pages."""
    lock.renew(surely=True)
    known, version = announcement.read(publisher.targets.store, publisher.trusted)
    announcement.check_clock(known, publisher.clock(), publisher.targets.store.where)
    new = announcement.following(known, edit(known), publisher.clock())
    announcement.commit(publisher.targets.store, publisher.key, new, version)
    for key in pages.pages(new):
        write_page(publisher.targets.store, key, new)
    return new


def renew(publisher: Publisher) -> Announcement:
    """Sign the index anew, valid from now on, with nothing else changed; CheckError where nothing was published."""
    store = publisher.targets.store
    if announcement.read(store, publisher.trusted)[1] is None:
        raise CheckError("there is no index to renew", where=store.where, fix="see whether this is the store you mean")
    with _locked(publisher, "renewing the index") as lock:
        return _change(publisher, lock, lambda known: known.versions)


def published(publisher: Publisher, version: str) -> Mapping[str, Any]:
    """What the index says about a version; CheckError lists the versions that there are."""
    known, _ = announcement.read(publisher.targets.store, publisher.trusted)
    if version not in known.versions:
        got = ", ".join(known.versions) or "no version at all"
        raise CheckError(f"{version} is not published", where=publisher.targets.store.where, got=got)
    return known.versions[version]


def end_of_life(publisher: Publisher, version: str, day: date) -> list[str]:
    """Attach the day on which support ended to every image of a version, and write it into the index.

    Returns:
        list[str]: the digests that carry it now. Nothing is deleted and no tag moves: what people run stays.
    """
    facts = published(publisher, version)
    notes = {END_OF_LIFE: day.isoformat()}
    payload = canonical({"version": version, "endOfLife": day.isoformat()})
    registry, done = publisher.targets.registry, []
    with _locked(publisher, f"ending {version}") as lock:
        for image in facts["images"]:
            for digest in (image["digest"], *(member["digest"] for member in image["members"])):
                found = registry.manifest(image["repository"], digest)
                if found is None:
                    where = f"{registry.where}/{image['repository']}"
                    raise CheckError("an image of the release is missing", where=where, expected=digest)
                report.say(f"end of life {day}: {image['repository']}@{digest[:19]}")
                registry.attach(image["repository"], found.descriptor, LIFECYCLE, payload, notes)
                lock.renew()
                done.append(digest)
        if facts.get("end_of_life") != day.isoformat():
            ended = {**facts, "end_of_life": day.isoformat()}
            _change(publisher, lock, lambda known: {**known.versions, version: ended})
    return done


def clean(publisher: Publisher, days: int, abandoned: str = "") -> list[str]:
    """Remove the staging artefacts of versions published over `days` days ago, and of the one `abandoned`.

    What was staged and never published stays until somebody abandons it: it may be a publication that was cut off.
    """
    known, _ = announcement.read(publisher.targets.store, publisher.trusted)
    before = publisher.clock() - timedelta(days=days)
    old = [name for name, facts in known.versions.items() if announcement.moment(facts["published"]) <= before]
    repositories = {image["repository"] for facts in known.versions.values() for image in facts["images"]}
    gone = []
    with _locked(publisher, "cleaning the staging area") as lock:
        for version in [*old, *([abandoned] if abandoned else [])]:
            gone += _clean_version(publisher, version, repositories)
            lock.renew()
    return gone


def _clean_version(publisher: Publisher, version: str, repositories: set[str]) -> list[str]:
    store, registry = publisher.targets.stage_store, publisher.targets.stage_registry
    gone = []
    for key in store.keys(f"{STAGING}/{version}/"):
        store.delete(key)
        gone.append(key)
    for repository in (f"{STAGING}/{name}" for name in sorted(repositories)):
        for tag in registry.tags(repository):
            found = registry.manifest(repository, tag) if tag.startswith(f"{version}-") else None
            if found and registry.delete_manifest(repository, found.digest):
                gone.append(f"{repository}:{tag}")
    return gone
