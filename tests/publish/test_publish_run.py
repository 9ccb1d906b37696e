"""A tiny release is published to a real registry and a folder: whole, once, and never against what is there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ci.publish import announcement, pages
from ci.publish.bucket import Bucket
from ci.publish.errors import LockedError, RefusedError
from ci.publish.material import Release, gather
from ci.publish.plan import Step
from ci.publish.run import Publisher
from ci.publish.steps import STATEMENT_NAME
from ci.publish.store import Folder
from ci.trust.bundle import TamperedError
from ci.trust.keys import SigningKey, generate
from release.model import Manifest
from tests.publish.conftest import make_publisher
from tests.publish.fixtures import SCOPE, VERSION, write_release

pytestmark = pytest.mark.registry
WHEEL_PATH = "2.0.0-rc1/MindSpore/cpu/ubuntu_x86/mindspore-2.0.0rc1-cp311-cp311-manylinux_2_28_x86_64.whl"


def publish(publisher: Publisher, release: Release) -> tuple[str, ...]:
    return publisher.publish(release, publisher.plan(release).digest).done


def test_everything_arrives_and_the_index_says_so(publisher: Publisher, release: Release, store: Folder) -> None:
    plan = publisher.plan(release)
    outcome = publisher.publish(release, plan.digest)
    assert outcome.done == tuple(step.id for step in plan.steps)
    assert outcome.serial == 1
    for file in release.files:
        assert store.sha256(file.path) == file.sha256
    assert store.read(f"{WHEEL_PATH}.sha256") is not None
    known, _ = announcement.read(store, publisher.trusted)
    assert set(known.versions) == {VERSION}
    assert set(known.versions[VERSION]["files"]) == {file.path for file in release.files}
    registry = publisher.targets.registry
    for index in release.indexes:
        for tag in index.tags:
            found = registry.manifest(index.repository, tag)
            assert found is not None
            assert found.digest == index.digest
        architectures = {item["platform"]["architecture"] for item in json.loads(index.data)["manifests"]}
        assert architectures == {"amd64", "arm64"}
        for member in index.members:
            attached = registry.referrers(member.repository, member.image.manifest.digest)
            assert {item.annotations[STATEMENT_NAME] for item in attached} == {"provenance", "sbom"}


def test_names_come_after_content_and_moving_names_after_the_index(publisher: Publisher, release: Release) -> None:
    kinds = [step.kind for step in publisher.plan(release).steps]
    announced = kinds.index("announce")
    assert max(kinds.index(kind) for kind in ("file", "image", "statements", "image-index", "tag")) < announced
    assert {"page", "move-tag"} == set(kinds[announced + 1 :])


def test_a_second_run_changes_nothing(publisher: Publisher, release: Release, tmp_path: Path, store: Folder) -> None:
    publish(publisher, release)
    before = {key: store.sha256(key) for key in store.keys("") if key != "publish.lock"}
    assert publish(publisher, release) == ()
    elsewhere = replace(publisher, journals=tmp_path / "another machine's journals")
    assert len(publish(elsewhere, release)) == len(publisher.plan(release).steps)
    assert {key: store.sha256(key) for key in store.keys("") if key != "publish.lock"} == before


def test_the_plan_must_be_the_one_confirmed(publisher: Publisher, release: Release, store: Folder) -> None:
    with pytest.raises(RefusedError, match="not the one confirmed"):
        publisher.publish(release, "0" * 64)
    assert store.keys("") == []


def test_another_content_under_a_published_version_is_refused(
    publisher: Publisher, release: Release, tmp_path: Path, manifest: Manifest, key: SigningKey, store: Folder
) -> None:
    publish(publisher, release)
    before = {name: store.sha256(name) for name in store.keys("") if name != "publish.lock"}
    other = gather(manifest, VERSION, write_release(tmp_path / "other", manifest, key, content=b"other"), SCOPE)
    with pytest.raises(RefusedError, match=f"{VERSION} is published already"):
        publish(publisher, other)
    assert {name: store.sha256(name) for name in store.keys("") if name != "publish.lock"} == before


def test_a_changed_file_is_refused_before_anything_is_written(
    publisher: Publisher, release: Release, store: Folder
) -> None:
    store.write(WHEEL_PATH, b"somebody else's wheel")
    with pytest.raises(RefusedError, match="a published file never changes"):
        publish(publisher, release)
    assert store.keys("staging/") == []
    assert store.read(WHEEL_PATH) is not None


def test_a_moved_tag_is_refused(publisher: Publisher, release: Release, store: Folder) -> None:
    index = next(index for index in release.indexes if VERSION in index.tags)
    registry = publisher.targets.registry
    other = b'{"mediaType":"application/vnd.oci.image.index.v1+json","schemaVersion":2,"manifests":[]}'
    registry.push_manifest(index.repository, VERSION, other, "application/vnd.oci.image.index.v1+json")
    with pytest.raises(RefusedError, match="a version's tag never moves") as refusal:
        publish(publisher, release)
    assert f"{index.repository}:{VERSION}" in str(refusal.value)
    assert store.keys("staging/") == []


def test_moving_tags_move_to_the_next_version(
    publisher: Publisher, release: Release, tmp_path: Path, manifest: Manifest, key: SigningKey, store: Folder
) -> None:
    publish(publisher, release)
    folder = write_release(tmp_path / "rc2", manifest, key, "2.0.0rc2", b"second")
    second = gather(manifest, "2.0.0rc2", folder, SCOPE)
    publish(publisher, second)
    registry = publisher.targets.registry
    for wanted, tag in ((second, "devel"), (release, VERSION), (second, "2.0.0rc2")):
        index = next(index for index in wanted.indexes if tag in index.tags)
        found = registry.manifest(index.repository, tag)
        assert found is not None
        assert found.digest == index.digest
    known, _ = announcement.read(store, publisher.trusted)
    assert (known.serial, list(known.versions)) == (2, ["2.0.0rc1", "2.0.0rc2"])
    page = store.read(pages.PAGE)
    assert page is not None
    assert page[0].count(b"<a href") == 2


def test_an_index_signed_by_a_stranger_stops_the_publication(
    publisher: Publisher, release: Release, tmp_path: Path, store: Folder
) -> None:
    stranger = generate(tmp_path / "stranger")
    announcement.commit(store, stranger, announcement.Announcement(7, "", "", {}), None)
    with pytest.raises(TamperedError, match="signature does not fit"):
        publish(publisher, release)
    assert store.keys("staging/") == []


def test_a_bucket_takes_a_release_as_a_folder_does(
    bucket: Bucket, registry_url: str, key: SigningKey, release: Release, tmp_path: Path
) -> None:
    made = make_publisher(bucket, registry_url, key, tmp_path / "journals")
    publish(made, release)
    for file in release.files:
        assert bucket.sha256(file.path) == file.sha256
    known, _ = announcement.read(bucket, made.trusted)
    assert list(known.versions) == [VERSION]
    page = bucket.client.get_object(Bucket=bucket.name, Key=f"releases/{pages.PAGE}")
    assert page["ContentType"] == "text/html"


def test_of_two_publishers_at_once_one_wins_and_the_other_is_told_why(
    publisher: Publisher, release: Release, tmp_path: Path
) -> None:
    """The second comes at every step of the first, from another machine and with the same release."""
    second = replace(publisher, journals=tmp_path / "elsewhere", holder="Bob")
    plan = publisher.plan(release)
    refusals = []

    def come_between(step: Step) -> None:
        with pytest.raises(LockedError, match="another publisher is at work") as refusal:
            second.publish(release, plan.digest)
        refusals.append(str(refusal.value))

    replace(publisher, before=come_between, holder="Ada").publish(release, plan.digest)
    assert len(refusals) == len(plan.steps)
    assert all(f"Ada, publishing {VERSION}, since" in text for text in refusals)
    assert second.publish(release, plan.digest).serial == 1
