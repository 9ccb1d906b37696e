"""At every step of a publication something goes wrong: nothing is ever half published, and a second run completes it."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ci.errors import CheckError
from ci.paths import ROOT
from ci.publish import announcement, pages
from ci.publish.bucket import Bucket
from ci.publish.credentials import Credentials
from ci.publish.errors import TargetError
from ci.publish.journal import Journal
from ci.publish.material import Release
from ci.publish.plan import Step
from ci.publish.run import Publisher
from ci.publish.store import Folder
from ci.trust.bundle import read_statement
from ci.trust.keys import SigningKey
from ci.trust.statements import TYPES
from tests.publish import servers
from tests.publish.conftest import at, make_publisher
from tests.publish.fixtures import VERSION

pytestmark = pytest.mark.registry


Child = subprocess.Popen[str]


class Killed(BaseException):
    """Stands for the end of the process: nothing of ours catches it."""


def assert_whole_or_absent(publisher: Publisher, release: Release) -> None:
    """What a user can see is whole: the index names only what is there, a page names only what the index names."""
    store, registry = publisher.targets.store, publisher.targets.registry
    known, _ = announcement.read(store, publisher.trusted)
    for facts in known.versions.values():
        for path, file in facts["files"].items():
            assert store.sha256(path) == file["sha256"]
        for image in facts["images"]:
            assert registry.manifest(image["repository"], image["digest"]) is not None
    for key, wanted in pages.pages(known).items():
        found = store.read(key)
        assert found is None or found[0] == wanted or VERSION.encode() not in found[0]
    for index in release.indexes:
        for tag in index.tags:
            if found_tag := registry.manifest(index.repository, tag):
                assert found_tag.digest == index.digest
                _assert_runnable(publisher, index)


def _assert_runnable(publisher: Publisher, index: Any) -> None:
    """A tag that is there leads to all blobs and all statements."""
    registry = publisher.targets.registry
    for member in index.members:
        for blob in member.image.blobs:
            assert registry.has_blob(index.repository, blob.digest)
        assert len(registry.referrers(index.repository, member.image.manifest.digest)) == len(TYPES)


def complete(publisher: Publisher, release: Release) -> None:
    publisher.publish(release, publisher.plan(release).digest)
    assert_whole_or_absent(publisher, release)
    known, _ = announcement.read(publisher.targets.store, publisher.trusted)
    assert known.serial == 1
    assert all((publisher.targets.store.read(key) or (b"",))[0] == page for key, page in pages.pages(known).items())
    for index in release.indexes:
        for tag in index.tags:
            assert publisher.targets.registry.manifest(index.repository, tag) is not None


@pytest.fixture(params=["folder", "bucket"])
def anywhere(request: pytest.FixtureRequest, publisher: Publisher) -> Publisher:
    """A publisher to each kind of store."""
    if request.param == "folder":
        return publisher
    store: Bucket = request.getfixturevalue("bucket")
    return replace(publisher, targets=replace(publisher.targets, stage_store=store, store=store))


@pytest.mark.parametrize("moment", ["before it begins", "before it is noted"])
def test_a_kill_at_every_step(
    anywhere: Publisher, release: Release, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One publication that is killed at each of its steps in turn and goes on every time."""
    plan, note = anywhere.plan(release), Journal.note
    for victim in plan.steps:

        def kill_note(journal: Journal, step: str, victim: Step = victim) -> None:
            if step == victim.id:
                raise Killed
            note(journal, step)

        broken = replace(anywhere, before=_killer(victim))
        if moment == "before it is noted":
            broken = anywhere
            monkeypatch.setattr(Journal, "note", kill_note)
        with pytest.raises(Killed):
            broken.publish(release, plan.digest)
        monkeypatch.setattr(Journal, "note", note)
        assert_whole_or_absent(anywhere, release)
    complete(anywhere, release)


SPEAKING = {"stage-image", "test-image", "image", "statements", "image-index", "tag", "move-tag"}


@pytest.mark.parametrize("mode", ["500", "refuse", "truncated", "slow", "gone"])
def test_the_registry_fails_at_every_step(publisher: Publisher, release: Release, mode: str) -> None:
    """Steps that speak to the registry fail with one clear message, every other step goes on; then all is completed."""
    plan = publisher.plan(release)
    failed = []
    with servers.proxy(publisher.targets.registry.where) as proxy:
        through = at(publisher, proxy.url)
        through.targets.registry.where = through.targets.stage_registry.where = publisher.targets.registry.where
        for victim in plan.steps:
            try:
                _broken(through, proxy, victim, mode).publish(release, plan.digest)
            except TargetError as error:
                failed.append(victim)
                _check_message(error, mode)
            except Killed:
                pass
            proxy.mode = "pass"
            assert_whole_or_absent(publisher, release)
    speaking = [step for step in plan.steps if step.kind in SPEAKING]
    assert failed == (speaking if mode != "truncated" else [step for step in speaking if step.kind != "test-image"])
    complete(publisher, release)


STORING = {"stage-file", "test-file", "file", "announce", "page"}
UPLOADING = STORING - {"test-file", "file"}  # the bucket itself copies what was staged
ANSWERS = {"500": "500", "denied": "refuses the publish identity", "slow": "timeout"}


@pytest.mark.parametrize("mode", ["500", "denied", "truncated", "torn", "slow", "gone"])
def test_the_bucket_fails_at_every_step(
    bucket: Bucket,
    registry_url: str,
    key: SigningKey,
    release: Release,
    tmp_path: Path,
    mode: str,
    endpoint: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Steps that speak to the bucket fail with one clear message, every other step needs none."""
    made, healthy = make_publisher(bucket, registry_url, key, tmp_path / "journals"), bucket.client
    plan = made.plan(release)
    storing = [step for step in plan.steps if step.kind in (UPLOADING if mode == "truncated" else STORING)]
    with servers.proxy(endpoint) as proxy:
        proxy.mode = mode
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1" if mode == "gone" else proxy.url)
        me, timeout = Credentials("publish", "store", "user", "secret"), 0.1 if mode == "slow" else 20.0
        broken = Bucket(bucket.name, "releases", me, timeout=timeout, attempts=1).client
        for victim in storing:

            def fail(step: Step, victim: Step = victim) -> None:
                bucket.client = broken if step == victim or step not in storing else healthy

            with pytest.raises(TargetError) as failure:
                replace(made, before=fail, after=_killer(victim)).publish(release, plan.digest)
            text = str(failure.value)
            assert ANSWERS.get(mode, "").lower() in text.lower()
            assert text.count("\n") <= 4
            assert "secret" not in text
            bucket.client = healthy
            assert_whole_or_absent(made, release)
            _finish(made, victim, release)
    complete(made, release)


def _broken(publisher: Publisher, proxy: servers.Proxy, victim: Step, mode: str) -> Publisher:
    """Goes as far as the victim, with the registry broken there; `gone` looks for it where nobody is."""
    client = publisher.targets.registry.client

    def before(step: Step) -> None:
        hit = step == victim
        proxy.mode = mode if hit else "pass"
        client.timeout = 0.1 if hit and mode == "slow" else 20.0
        client.base_url = "http://127.0.0.1:1" if hit and mode == "gone" else proxy.url

    before(Step("announce", "nothing yet", ""))
    return replace(publisher, before=before, after=_killer(victim))


def _check_message(error: TargetError, mode: str) -> None:
    text = str(error)
    expected = {"500": "500", "refuse": "refuses the anonymous identity", "slow": "Timeout"}
    assert expected.get(mode, "Error") in text
    assert text.count("\n") <= 4
    assert "Traceback" not in text


def test_a_full_disk_at_every_step(publisher: Publisher, release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes do not reach the disk at any of the steps, in the store or in the journal."""
    plan = publisher.plan(release)
    full = {"now": False}
    real = os.fsync

    def fsync(handle: int) -> None:
        if full["now"]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    for victim in plan.steps:

        def fill(step: Step, victim: Step = victim) -> None:
            full["now"] = step == victim

        with pytest.raises(TargetError, match="No space left on device"):
            replace(publisher, before=fill).publish(release, plan.digest)
        full["now"] = False
        assert_whole_or_absent(publisher, release)
        _finish(publisher, victim, release)
    complete(publisher, release)


def _finish(publisher: Publisher, step: Step, release: Release) -> None:
    """Go on until `step` is done and no further."""
    plan = publisher.plan(release)
    following = plan.steps[plan.steps.index(step) + 1 :]
    with contextlib.suppress(Killed):
        stop = _killer(following[0]) if following else publisher.before
        replace(publisher, before=stop).publish(release, plan.digest)


CHILD = """
import os, signal, sys
from pathlib import Path
from dataclasses import replace
from ci.cli import guarded
from ci.paths import MANIFEST
from ci.publish.material import gather
from ci.publish.store import Folder
from ci.trust.keys import load_signing
from release.model import load_manifest
from tests.publish.conftest import make_publisher
from tests.publish.fixtures import SCOPE, VERSION
folder, store, url, key, journals, holder, victim = sys.argv[1:]
def kill(step):
    if step.id == victim:
        os.kill(os.getpid(), signal.SIGKILL)
made = make_publisher(Folder(Path(store)), url, load_signing(Path(key)), Path(journals))
release = gather(load_manifest(MANIFEST), VERSION, Path(folder), SCOPE)
plan = made.plan(release).digest
print("ready", flush=True)
sys.stdin.readline()
guarded(replace(made, before=kill, holder=holder).publish, release, plan)
"""


def _process(publisher: Publisher, folder: Path, key: Path, journals: Path, holder: str, victim: str) -> Child:
    """Another process that publishes the same release once it is told to."""
    where = [publisher.targets.store.where, publisher.targets.registry.where]
    words = [sys.executable, "-c", CHILD, str(folder), *where, str(key), str(journals), holder, victim]
    return subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )


def test_real_kills_leave_a_journal_to_go_on_from(
    publisher: Publisher, release: Release, folder: Path, key_file: Path, tmp_path: Path
) -> None:
    """`kill -9` to a real process; its successor is not held up by the dead one's lock."""
    plan = publisher.plan(release)
    kinds = ("stage-image", "file", "announce", "page")
    victims: dict[str, str] = {step.kind: step.id for step in plan.steps if step.kind in kinds}
    for victim in (victims[kind] for kind in kinds):
        child = _process(publisher, folder, key_file, tmp_path / "journals", "Ada", victim)
        _, err = child.communicate("go\n")
        assert child.returncode == -signal.SIGKILL, err
        assert_whole_or_absent(publisher, release)
    complete(publisher, release)


def test_of_two_processes_at_once_one_wins(
    publisher: Publisher, release: Release, folder: Path, key_file: Path, tmp_path: Path
) -> None:
    """They start at the same moment, from two machines; whoever comes later is told who was first."""
    children = {
        name: _process(publisher, folder, key_file, tmp_path / name, name, "no step") for name in ("Ada", "Bob")
    }
    for child in children.values():
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children.values():
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    ends = {name: child.communicate() for name, child in children.items()}
    winners = [name for name, child in children.items() if child.returncode == 0]
    assert winners, ends
    for loser in set(children) - set(winners):
        assert children[loser].returncode == 1
        assert "another publisher is at work" in ends[loser][1]
        assert f"{winners[0]}, publishing {VERSION}" in ends[loser][1]
        assert "Traceback" not in ends[loser][1]
    complete(publisher, release)


def test_a_tampered_stage_is_not_promoted(publisher: Publisher, release: Release, store: Folder) -> None:
    """Somebody changes a wheel between staging and promotion."""
    plan = publisher.plan(release)
    wheel = next(file for file in release.files if file.is_wheel)

    def tamper(step: Step) -> None:
        if step.kind == "test-file":
            store.write(f"staging/{VERSION}/{wheel.path}", b"evil")

    with pytest.raises(CheckError, match="the staged wheel is damaged"):
        replace(publisher, before=tamper).publish(release, plan.digest)
    assert store.sha256(wheel.path) is None


def test_statements_are_about_their_own_artefact(publisher: Publisher, release: Release, key: SigningKey) -> None:
    images = list(release.images)
    digest = images[1].image.manifest.digest.removeprefix("sha256:")
    with pytest.raises(CheckError, match="a statement about something else"):
        read_statement(images[0].statements[0].data, [key.public], TYPES["provenance"], digest, "a bundle")


def test_a_torn_line_of_the_journal_counts_as_no_step(publisher: Publisher, release: Release, tmp_path: Path) -> None:
    plan = publisher.plan(release)
    with pytest.raises(Killed):
        replace(publisher, after=_killer(plan.steps[3])).publish(release, plan.digest)
    journal = next((tmp_path / "journals").glob("*.jsonl"))
    journal.write_bytes(journal.read_bytes()[:-5])
    done = publisher.publish(release, plan.digest).done
    assert done[0] == plan.steps[3].id
    assert len(done) == len(plan.steps) - 3


def _killer(victim: Step) -> Callable[[Step], None]:
    def kill(step: Step) -> None:
        if step == victim:
            raise Killed

    return kill


def test_the_wrong_password_is_one_clear_message(
    tmp_path: Path, registry_url: str, key: SigningKey, release: Release
) -> None:
    with servers.proxy(registry_url) as proxy:
        proxy.mode = "refuse"
        made = make_publisher(Folder(tmp_path / "store"), proxy.url, key, tmp_path / "journals")
        with pytest.raises(TargetError, match="the registry refuses the anonymous identity"):
            made.publish(release, made.plan(release).digest)
    assert Folder(tmp_path / "store").keys("staging/") == []
