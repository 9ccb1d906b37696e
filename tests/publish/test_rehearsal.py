"""The rehearsal's driver and servers; the rehearsal itself is a task of its own, `release.rehearse`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from ci.engine import Runner
from ci.errors import CheckError
from ci.rehearsal import servers
from ci.rehearsal.driver import drive

CHILD = """
import os, signal, sys
from pathlib import Path
from ci.publish.journal import Journal
from ci.rehearsal.killer import Killer
folder = Path(sys.argv[1])
killer = Killer(folder, int(sys.argv[2]))
with Journal(folder / "journal").open() as journal:
    for number in range(60):
        if str(number) not in journal.done:
            killer.before(str(number))
            with (folder / "work").open("a") as stream:
                stream.write(f"{number} ")
            journal.note(str(number))
"""


def run(words: Sequence[str]) -> int:
    return subprocess.run(words, check=False).returncode


@pytest.mark.parametrize("seed", [1, 2])
def test_a_process_killed_three_times_does_every_step_once(tmp_path: Path, seed: int) -> None:
    killed = drive([sys.executable, "-c", CHILD], tmp_path, 3, seed, run)
    assert len(killed) == 3
    assert sorted(killed, key=int) == list(killed)
    assert (tmp_path / "work").read_text(encoding="utf-8").split() == [str(number) for number in range(60)]


def test_the_same_seed_kills_at_the_same_steps(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    found = [drive([sys.executable, "-c", CHILD], folder, 2, 5, run) for folder in folders]
    assert found[0] == found[1]


def test_a_failure_is_not_tried_again(tmp_path: Path) -> None:
    with pytest.raises(CheckError, match="exit code 7"):
        drive([sys.executable, "-c", "raise SystemExit(7)"], tmp_path, 3, 1, run)


def test_servers_answer_on_loopback_and_end_with_the_block(tmp_path: Path) -> None:
    runner = Runner(tmp_path / "logs")
    with servers.files(runner, tmp_path / "store") as index:
        (tmp_path / "store" / "simple").mkdir()
        (tmp_path / "store" / "simple" / "index.html").write_text("page", encoding="utf-8")
        assert httpx.get(index).text == "page"
    with pytest.raises(httpx.ConnectError):
        httpx.get(index)


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    runner = Runner(tmp_path / "logs")
    words = [sys.executable, "-c", "raise SystemExit('no such port')"]
    with pytest.raises(CheckError, match="no such port"), servers._server(runner, tmp_path, words, 1):
        pass


@pytest.mark.registry
def test_a_registry_of_its_own(tmp_path: Path) -> None:
    runner = Runner(tmp_path / "logs")
    if runner.find("docker-registry") is None:
        pytest.skip("needs docker-registry; run `python3 tasks.py setup`")
    with servers.registry(runner, tmp_path / "registry") as url:
        assert httpx.get(f"{url}/v2/").status_code == 200
    assert os.listdir(tmp_path / "registry") != []
