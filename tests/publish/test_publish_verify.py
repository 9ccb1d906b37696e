"""A stranger with the trusted key notices whatever was changed after the release was signed."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ci import oci
from ci.engine import Runner
from ci.errors import CheckError
from ci.publish import announcement, memory, pages
from ci.publish.material import Release
from ci.publish.run import Publisher
from ci.publish.signing import sign
from ci.publish.steps import STATEMENT, STATEMENT_NAME
from ci.publish.store import Folder
from ci.publish.upkeep import END_OF_LIFE, clean, end_of_life, renew
from ci.publish.verify import Verifier
from ci.rehearsal import servers
from ci.trust.bundle import TamperedError
from ci.trust.keys import SigningKey, generate
from ci.trust.provenance import Source
from tests.publish.conftest import make_publisher
from tests.publish.fixtures import VERSION

pytestmark = pytest.mark.registry
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def once(
    needs_registry: None, tmp_path_factory: pytest.TempPathFactory, key: SigningKey, release: Release
) -> tuple[Path, ...]:
    """The folders of a store and a registry in which the release was published, to be copied."""
    folder = tmp_path_factory.mktemp("published")
    with servers.registry(Runner(folder / "logs"), folder / "registry") as url:
        made = make_publisher(Folder(folder / "store"), url, key, folder / "journals")
        made = replace(made, clock=lambda: NOW)
        made.publish(release, made.plan(release).digest)
    return folder / "store", folder / "registry" / "data"


@pytest.fixture
def published(once: tuple[Path, ...], tmp_path: Path, key: SigningKey) -> Iterator[Publisher]:
    shutil.copytree(once[0], tmp_path / "store")
    shutil.copytree(once[1], tmp_path / "registry" / "data")
    with servers.registry(Runner(tmp_path / "logs"), tmp_path / "registry") as url:
        made = make_publisher(Folder(tmp_path / "store"), url, key, tmp_path / "journals")
        yield replace(made, clock=lambda: NOW)


def verifier(publisher: Publisher, now: datetime = NOW, seen: int = 0) -> Verifier:
    return Verifier(publisher.targets.store, publisher.targets.registry, publisher.trusted, now, seen)


def test_an_honest_release_has_no_finding(published: Publisher, release: Release) -> None:
    found = verifier(published).verify(VERSION)
    assert found.problems == []
    assert found.checked == {"files": 5, "images": 9, "statements": 14, "pages": 3}
    assert (found.serial, found.versions) == (1, [VERSION])


def test_an_unknown_version_is_no_release(published: Publisher) -> None:
    with pytest.raises(CheckError, match=r"9\.9\.9 is not published"):
        verifier(published).verify("9.9.9")


def _wheel(publisher: Publisher, release: Release) -> None:
    publisher.targets.store.write(next(file.path for file in release.files if file.is_wheel), b"evil")


def _no_wheel(publisher: Publisher, release: Release) -> None:
    publisher.targets.store.delete(next(file.path for file in release.files if file.is_wheel))


def _statement(publisher: Publisher, release: Release) -> None:
    path = next(file.path for file in release.files if file.path.endswith(".sbom.json"))
    publisher.targets.store.write(path, b"{}")


def _page(publisher: Publisher, release: Release) -> None:
    publisher.targets.store.write(pages.PAGE, b'<a href="https://example.com/evil.whl">mindspore</a>')


def _checksum(publisher: Publisher, release: Release) -> None:
    path = next(file.path for file in release.files if file.path.endswith(".sha256"))
    publisher.targets.store.write(path, b"0" * 64 + b"  another.whl\n")


def _tag(publisher: Publisher, release: Release) -> None:
    other = release.indexes[0] if VERSION not in release.indexes[0].tags else release.indexes[1]
    publisher.targets.registry.push_manifest(other.repository, VERSION, other.data, oci.INDEX)


def _no_image(publisher: Publisher, release: Release) -> None:
    index = release.indexes[0]
    publisher.targets.registry.delete_manifest(index.repository, index.members[0].image.manifest.digest)


def _no_statements(publisher: Publisher, release: Release) -> None:
    """The tag that stands for the referrers is made to list nothing."""
    member = next(release.images)
    tag = member.image.manifest.digest.replace(":", "-", 1)
    publisher.targets.registry.push_manifest(member.repository, tag, oci.index([]), oci.INDEX)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_wheel, "a file is not what was signed"),
        (_no_wheel, "no such file"),
        (_checksum, "a file is not what was signed"),
        (_statement, "not a signed bundle"),
        (_page, "a page is not what the index says"),
        (_tag, "a version's tag was moved"),
        (_no_image, "an image is missing"),
        (_no_statements, "an image has no valid statement"),
    ],
)
def test_whatever_is_changed_afterwards_is_found(
    published: Publisher, release: Release, change: Callable[[Publisher, Release], None], message: str
) -> None:
    change(published, release)
    problems = verifier(published).verify().problems
    assert any(message in problem for problem in problems)


def test_a_tampered_blob_of_the_registry_is_found(published: Publisher, release: Release, tmp_path: Path) -> None:
    """The bytes change on the registry's own disk; docker-registry serves them without looking."""
    digest = next(release.images).image.layers[0].digest.removeprefix("sha256:")
    (blob,) = (tmp_path / "registry").glob(f"data/docker/registry/v2/blobs/sha256/*/{digest}/data")
    blob.write_bytes(b"x" * blob.stat().st_size)
    problems = verifier(published).verify().problems
    assert any("a blob of the registry is damaged" in problem for problem in problems)


@pytest.mark.parametrize("place", ["payload", "signature"])
def test_a_tampered_index_is_refused_before_anything_else(published: Publisher, store: Folder, place: str) -> None:
    """Somebody with access to the store and without the key names another wheel, or signs with what he has."""
    bundle = json.loads((store.read(announcement.KEY) or (b"",))[0])
    envelope = bundle["dsseEnvelope"]
    if place == "payload":
        text = json.loads(b64decode(envelope["payload"])) | {"serial": 9}
        envelope["payload"] = b64encode(json.dumps(text).encode()).decode()
    else:
        envelope["signatures"][0]["sig"] = b64encode(b"no signature").decode()
    store.write(announcement.KEY, json.dumps(bundle).encode())
    with pytest.raises(TamperedError, match="the signature does not fit") as refusal:
        verifier(published).verify()
    assert f"{store.where}/{announcement.KEY}" in str(refusal.value)


def test_what_a_stranger_attaches_neither_helps_nor_harms(
    published: Publisher, release: Release, tmp_path: Path
) -> None:
    member = next(release.images)
    subject = replace(member.image.manifest, platform={})
    notes = {STATEMENT_NAME: "sbom"}
    published.targets.registry.attach(member.repository, subject, STATEMENT, b'{"evil": true}', notes)
    assert verifier(published).verify().problems == []
    stranger = generate(tmp_path / "stranger").public
    with pytest.raises(TamperedError, match="the signature does not fit"):
        replace(verifier(published), trusted=[stranger]).verify()


def test_a_rollback_and_an_expired_index_are_refused(published: Publisher, store: Folder, tmp_path: Path) -> None:
    old = (store.read(announcement.KEY) or (b"",))[0]
    assert renew(published).serial == 2
    memory.remember(store.where, 2, tmp_path)
    assert verifier(published, seen=memory.seen(store.where, tmp_path)).verify().serial == 2
    store.write(announcement.KEY, old)
    memory.remember(store.where, 1, tmp_path)
    with pytest.raises(TamperedError, match="the index went backwards") as refusal:
        verifier(published, seen=memory.seen(store.where, tmp_path)).verify()
    assert "expected: serial 2 or later" in str(refusal.value)
    with pytest.raises(TamperedError, match="the index has expired"):
        verifier(published, now=NOW + timedelta(days=91)).verify()
    with pytest.raises(TamperedError, match="the index is from the future"):
        verifier(published, now=NOW - timedelta(days=1)).verify()


def test_the_zone_of_the_machine_does_not_matter(
    published: Publisher, store: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, _ = announcement.read(store, published.trusted)
    assert known.issued == "2026-11-22T12:00:00Z"
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    try:
        assert announcement.moment(known.issued) == NOW
        assert announcement.stamp(NOW.astimezone()) == known.issued
        assert verifier(published, now=NOW.astimezone()).verify().problems == []
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


def test_a_machine_whose_clock_is_behind_publishes_nothing(
    published: Publisher, release: Release, store: Folder
) -> None:
    """What it signs would have expired before users read it."""
    late = replace(published, clock=lambda: NOW - timedelta(hours=2))
    before = {name: store.sha256(name) for name in store.keys("") if name != "publish.lock"}
    attempts = (
        lambda: late.check(release),
        lambda: late.publish(release, late.plan(release).digest),
        lambda: renew(late),
    )
    for attempt in attempts:
        with pytest.raises(TamperedError, match="the index is from the future") as refusal:
            attempt()
        assert "set this machine's clock" in str(refusal.value)
    assert {name: store.sha256(name) for name in store.keys("") if name != "publish.lock"} == before


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/St_Johns"])
def test_the_zone_of_the_publishing_machine_does_not_matter(
    published: Publisher, release: Release, store: Folder, key: SigningKey, tmp_path: Path, zone: str
) -> None:
    """Published again elsewhere at the same moment: plan, index and pages have the same bytes."""
    there = make_publisher(Folder(tmp_path / "other"), published.targets.registry.where, key, tmp_path / "journals")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        local = replace(there, clock=lambda: NOW.astimezone())
        assert local.plan(release).steps == published.plan(release).steps
        local.publish(release, local.plan(release).digest)
    time.tzset()
    for name in (announcement.KEY, *pages.pages(announcement.EMPTY)):
        assert there.targets.store.read(name) == store.read(name)


def test_the_end_of_life_is_attached_and_announced_and_nothing_is_lost(
    published: Publisher, release: Release, store: Folder
) -> None:
    day = date(2027, 8, 22)
    done = end_of_life(published, VERSION, day)
    assert end_of_life(published, VERSION, day) == done
    registry = published.targets.registry
    for index in release.indexes:
        for digest in (index.digest, *(member.image.manifest.digest for member in index.members)):
            notes = [item.annotations.get(END_OF_LIFE) for item in registry.referrers(index.repository, digest)]
            assert notes.count("2027-08-22") == 1
    known, _ = announcement.read(store, published.trusted)
    assert (known.serial, known.versions[VERSION]["end_of_life"]) == (2, "2027-08-22")
    assert verifier(published).verify().problems == []
    with pytest.raises(CheckError, match=r"1\.0\.0 is not published"):
        end_of_life(published, "1.0.0", day)


def test_staging_is_kept_for_a_while_and_then_removed(published: Publisher, release: Release, store: Folder) -> None:
    assert clean(published, days=14) == []
    assert store.keys("staging/") != []
    later = replace(published, clock=lambda: NOW + timedelta(days=15))
    gone = clean(later, days=14)
    assert len(gone) == len(release.files) + len(list(release.images))
    assert store.keys("staging/") == []
    assert clean(later, days=14) == []
    assert verifier(published).verify().problems == []


def test_what_was_never_published_stays_until_it_is_abandoned(publisher: Publisher, store: Folder) -> None:
    store.write("staging/2.0.0rc9/file", b"data")
    assert clean(publisher, days=0) == []
    assert clean(publisher, days=0, abandoned="2.0.0rc9") == ["staging/2.0.0rc9/file"]


def test_signing_again_changes_nothing_and_tells_nothing_of_the_machine(
    folder: Path, key: SigningKey, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(folder, tmp_path / "own"))
    source = Source("c0ffee", {"docker/cpu/locks/x.txt": "ab" * 32})
    first = sign(folder, VERSION, key, source)
    written = {path.name: path.read_bytes() for path in (folder / "attestations").iterdir()}
    assert sign(folder, VERSION, key, source) == first
    assert {path.name: path.read_bytes() for path in (folder / "attestations").iterdir()} == written
    assert len(written) == 2 * len(first) == 14
    for text in (b64decode(json.loads(data)["dsseEnvelope"]["payload"]).decode() for data in written.values()):
        assert text.startswith('{"_type"')  # so that this is what was signed, decoded
        assert not re.search(rf"\b{re.escape(os.uname().nodename)}\b", text)
        assert str(folder) not in text
