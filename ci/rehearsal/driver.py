"""Runs a rehearsal in a temporary folder: starts servers, runs the stages in a process that it kills now and then."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from types import FrameType

from ci import git, report
from ci.engine import Runner
from ci.errors import CheckError, MissingPartError
from ci.paths import ROOT
from ci.rehearsal import servers

STEPS = 45  # about as many as a rehearsal has: kills are spread over all of them
CHILD = [sys.executable, "-m", "ci.rehearsal.stages"]
CONFIGURATION = "rehearsal.json"
KNOWN = "known.json"


@dataclass(frozen=True)
class Stage:
    """What the process that does the work is told: where everything is."""

    version: str
    registry: str
    index: str
    docker: str
    feed: str


@dataclass(frozen=True)
class Outcome:
    """The steps that were done, and before which steps the process was killed."""

    done: tuple[str, ...]
    killed: tuple[str, ...]


def drive(
    command: Sequence[str], folder: Path, kills: int, seed: int, run: Callable[[Sequence[str]], int]
) -> tuple[str, ...]:
    """Run `command FOLDER COUNT` until it ends well; COUNT is after how many steps it is to kill itself, 0 for never.

    Returns:
        tuple[str, ...]: the steps before which it was killed, as it noted them in `killed`.
    """
    random = Random(seed)
    plan = [random.randint(1, max(STEPS // kills, 1)) for _ in range(kills)]
    for number, count in enumerate([*plan, 0], 1):
        code = run([*command, str(folder), str(count)])
        if code == -signal.SIGKILL:
            report.say(f"    killed with `kill -9` ({number} of {kills}); going on")
        elif code:
            raise CheckError("the rehearsal failed", where=str(folder), got=f"exit code {code}", fix="see above")
        else:
            break
    noted = folder / "killed"
    return tuple(noted.read_text(encoding="utf-8").splitlines()) if noted.exists() else ()


def rehearse(version: str, kills: int, seed: int, keep: bool) -> Outcome:
    """Rehearse the release of `version` from the last commit; leaves nothing behind, however it ends."""
    runner = Runner()
    _need(runner)
    folder = Path(mkdtemp(prefix="rehearsal-"))
    report.say(f"rehearsing {version} in {folder}, seed {seed}")
    with ExitStack() as stack:
        stack.enter_context(ending_on(signal.SIGTERM))
        if not keep:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        if not git.clone(ROOT, folder / "checkout"):
            raise CheckError("the checkout cannot be cloned", where=str(ROOT), expected="a git repository")
        told = Stage(
            version,
            registry=stack.enter_context(servers.registry(runner, folder / "registry")),
            index=stack.enter_context(servers.files(runner, folder / "store")),
            docker=stack.enter_context(servers.docker(runner, folder / "docker")),
            feed=stack.enter_context(servers.feed(runner, folder / KNOWN)),
        )
        (folder / CONFIGURATION).write_text(json.dumps(asdict(told)), encoding="utf-8")
        environment = _environment(folder, told)
        killed = drive(CHILD, folder, kills, seed, lambda words: _show(runner, words, folder, environment))
        done = tuple((folder / "done").read_text(encoding="utf-8").splitlines())
        missing = kills - len(killed)
        if missing:
            raise CheckError("the rehearsal ended before all kills", expected=f"{kills} kills", got=f"{len(killed)}")
    return Outcome(done, killed)


def _need(runner: Runner) -> None:
    missing = [name for name in ("docker-registry", "dockerd", "setpriv") if not runner.find(name)]
    if missing:
        fix = "run `python3 tasks.py setup` as root"
        raise MissingPartError("a rehearsal needs its own servers", got=f"no {', '.join(missing)}", fix=fix)


def _environment(folder: Path, told: Stage) -> Mapping[str, str]:
    """The process sees its own engine and keeps its notes in the folder; it reads the user's cache of downloads."""
    return {"DOCKER_HOST": told.docker, "XDG_STATE_HOME": str(folder / "state"), "PYTHONPATH": ""}


def _show(runner: Runner, words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> int:
    return runner.show(words, cwd=folder / "checkout", env=environment)


@contextmanager
def ending_on(number: signal.Signals) -> Iterator[None]:
    """A signal that asks to end cleans up like Ctrl-C: what was started is ended, then what it wrote is removed."""

    def interrupt(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(number, interrupt)
    try:
        yield
    finally:
        signal.signal(number, before)
