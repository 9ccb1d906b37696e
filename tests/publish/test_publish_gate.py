"""What is known about a package inside a release stops its publication, and so does an exception that has ended."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from ci.errors import CheckError
from ci.publish import announcement
from ci.publish.gate import Gate, packages
from ci.publish.material import Release
from ci.publish.plan import Step
from ci.publish.run import Publisher
from ci.publish.store import Folder
from ci.rehearsal.feed import Feed
from ci.trust.bundle import TamperedError
from ci.trust.keys import SigningKey, generate
from tests.publish.fixtures import NUMPY, VERSION

TODAY = date(2026, 11, 22)
ALLOWED = '[[allow]]\nid = "GHSA-1"\nuntil = {until}\nreason = "only reached by the tests"\n'


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def known(tmp_path: Path) -> Path:
    """What the feed knows: a vulnerability of numpy."""
    path = tmp_path / "known.json"
    path.write_text(json.dumps({NUMPY: ["GHSA-1"]}), encoding="utf-8")
    return path


@pytest.fixture
def gate(tmp_path: Path, known: Path) -> Iterator[Gate]:
    server = Feed(0, known)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Gate(server.url, tmp_path / "vulnerabilities.toml", lambda: TODAY)
    server.shutdown()
    server.server_close()


def test_the_packages_are_those_of_the_signed_bills(release: Release, key: SigningKey, tmp_path: Path) -> None:
    assert set(packages(release, [key.public])) == {NUMPY}
    assert len(list(packages(release, [key.public]))) == 7
    with pytest.raises(TamperedError, match="the signature does not fit"):
        list(packages(release, [generate(tmp_path / "stranger").public]))


@pytest.mark.registry
def test_a_known_vulnerability_stops_plan_and_publication(
    publisher: Publisher, release: Release, gate: Gate, store: Folder, tmp_path: Path
) -> None:
    guarded = replace(publisher, gate=gate)
    for attempt in (guarded.check, lambda release: guarded.publish(release, guarded.plan(release).digest)):
        with pytest.raises(CheckError, match="packages with known vulnerabilities") as refusal:
            attempt(release)
        assert f"GHSA-1 in {NUMPY}" in str(refusal.value)
    assert store.keys("") == []
    assert not (tmp_path / "journals").exists()
    gate.allowed.write_text(ALLOWED.format(until="2026-11-21"), encoding="utf-8")
    with pytest.raises(CheckError, match=r"GHSA-1 in .* \(was allowed until 2026-11-21\)"):
        guarded.check(release)
    gate.allowed.write_text(ALLOWED.format(until="2026-11-22"), encoding="utf-8")
    assert guarded.publish(release, guarded.plan(release).digest).serial == 1


@pytest.mark.registry
def test_what_is_announced_is_finished_whatever_is_known_since(
    publisher: Publisher, release: Release, gate: Gate, known: Path
) -> None:
    """A half-finished publication would help nobody."""
    found = known.read_text(encoding="utf-8")
    known.write_text("{}", encoding="utf-8")
    guarded = replace(publisher, gate=gate)
    plan = guarded.plan(release)

    def kill(step: Step) -> None:
        if step.kind == "announce":
            raise Killed

    with pytest.raises(Killed):
        replace(guarded, after=kill).publish(release, plan.digest)
    known.write_text(found, encoding="utf-8")
    done = guarded.publish(release, plan.digest).done
    assert {name.split(" ")[0] for name in done} == {"page", "move-tag"}
    assert list(announcement.read(guarded.targets.store, guarded.trusted)[0].versions) == [VERSION]


def test_silence_passes_no_final_release(release: Release, key: SigningKey, tmp_path: Path) -> None:
    silent = Gate("http://127.0.0.1:1", tmp_path / "absent.toml", lambda: TODAY)
    assert silent.check(release, [key.public]).state == "not checked"
    with pytest.raises(CheckError, match="nobody could say") as refusal:
        silent.check(replace(release, version="2.0.0"), [key.public])
    assert "ConnectError" in str(refusal.value)
