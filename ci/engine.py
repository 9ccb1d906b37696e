"""Starts processes (only this module and `ci.git` do) and speaks to the container engine of the machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Literal, Protocol
from uuid import uuid4

from ci.errors import CommandError, MissingPartError, NoEngineError
from ci.paths import LOGS

Kind = Literal["", "compilers", "engine_builds", "downloads"]
LIMIT = 4096  # open files and processes of a container that podman runs
SETTLED = "3h"  # no build takes longer
INHERITED_DOWNLOADS = "MINDSPORE_TASKS_DOWNLOADS"


@dataclass
class Work:
    """How much real work a command did; a command with nothing to do leaves three zeros."""

    compilers: int = 0
    engine_builds: int = 0
    downloads: int = field(default_factory=lambda: int(os.environ.get(INHERITED_DOWNLOADS, "0")))

    def add(self, kind: Kind) -> None:
        if kind:
            setattr(self, kind, getattr(self, kind) + 1)

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True)
class Result:
    code: int
    stdout: str
    stderr: str = ""


def _wait(child: subprocess.Popen[str]) -> tuple[str, str]:
    """Wait for the child; on Ctrl-C let it clean up for ten seconds before it is killed."""
    try:
        out, err = child.communicate()
    except KeyboardInterrupt:
        child.terminate()
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        raise
    return out or "", err or ""


class Runner:
    """Starts programs, counts those that compile, build images or download, and keeps their output in a log."""

    def __init__(self, logs: Path = LOGS) -> None:
        self.work = Work()
        self.logs = logs

    def find(self, program: str) -> str | None:
        found = shutil.which(program)
        return found or next((p for d in ("/usr/sbin", "/sbin") if os.access(p := f"{d}/{program}", os.X_OK)), None)

    def read(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Result:
        """Run a short query; its output comes back and a failure is the caller's to judge."""
        child = self._start(argv, subprocess.PIPE, subprocess.PIPE, env, cwd)
        out, err = _wait(child)
        return Result(child.returncode, out, err)

    def run(
        self,
        argv: Sequence[str],
        *,
        kind: Kind = "",
        log: str = "commands",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        """Run a long command into the log `log`; raise CommandError with the end of its output."""
        self.work.add(kind)
        self.logs.mkdir(parents=True, exist_ok=True)
        path = self.logs / f"{log}.log"
        with path.open("a+", encoding="utf-8", errors="replace") as stream:
            stream.write(f"$ {' '.join(argv)}\n")
            stream.flush()
            start = stream.tell()
            child = self._start(argv, stream, subprocess.STDOUT, env, cwd)
            _wait(child)
            if child.returncode:
                stream.seek(start)
                raise CommandError(list(argv), child.returncode, stream.read(), str(path))

    def show(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> int:
        """Run a command whose output belongs to the user (pytest, a container's program); give its exit code."""
        child = self._start(argv, None, None, env, cwd)
        _wait(child)
        return child.returncode

    def detach(self, argv: Sequence[str], log: Path) -> subprocess.Popen[str]:
        """Start a program that outlives us, in a session of its own."""
        with log.open("a", encoding="utf-8") as stream:
            return subprocess.Popen(
                list(argv), stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True, text=True
            )

    def _start(
        self,
        argv: Sequence[str],
        out: IO[str] | int | None,
        err: IO[str] | int | None,
        env: Mapping[str, str] | None,
        cwd: Path | None,
    ) -> subprocess.Popen[str]:
        merged = {**os.environ, **(env or {})}
        quiet = None if out is None else subprocess.DEVNULL
        try:
            return subprocess.Popen(
                list(argv), stdin=quiet, stdout=out, stderr=err, env=merged, cwd=cwd, text=True, errors="replace"
            )
        except FileNotFoundError:
            raise MissingPartError(
                f"the program '{argv[0]}' is not installed", fix="run `python3 tasks.py doctor` to see what is missing"
            ) from None


@dataclass(frozen=True)
class BuildRequest:
    """One image build: a Dockerfile, its context folder, a tag, build arguments and labels.

    `network` is `none` where everything comes from the context; `fresh` builds without the engine's cache.
    """

    dockerfile: Path
    context: Path
    tag: str
    arguments: Mapping[str, str]
    labels: Mapping[str, str]
    platform: str = ""
    network: str = "host"
    fresh: bool = False


@dataclass(frozen=True)
class RunRequest:
    """One container run: read-only mounts unless listed in `writable`, no network unless asked for."""

    image: str
    command: Sequence[str] = ()
    mounts: Mapping[Path, str] = field(default_factory=dict)
    writable: Mapping[Path, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    network: str = "none"
    interactive: bool = False
    platform: str = ""


class Engine(Protocol):
    """What the rest of `ci` asks of a container engine; tests hand in a fake."""

    name: str

    def version(self) -> str: ...
    def data_root(self) -> Path | None: ...
    def inspect(self, reference: str) -> dict[str, Any] | None: ...
    def build(self, request: BuildRequest) -> None: ...
    def pull(self, reference: str) -> bool: ...
    def save(self, reference: str, path: Path) -> None: ...
    def load(self, path: Path) -> None: ...
    def tag(self, reference: str, tag: str) -> None: ...
    def remove(self, reference: str) -> None: ...
    def prune(self, label: str) -> None: ...
    def run(self, request: RunRequest) -> Result: ...
    def attach(self, request: RunRequest) -> int: ...


class CliEngine:
    """Docker and podman, whose command lines agree on all that we use."""

    def __init__(self, runner: Runner, name: str, options: Sequence[str] = ()) -> None:
        self.runner = runner
        self.name = name
        self.program = [name, *options]

    def _query(self, *arguments: str) -> Result:
        return self.runner.read([*self.program, *arguments])

    def _do(self, *arguments: str) -> None:
        self.runner.run([*self.program, *arguments], log="images")

    def version(self) -> str:
        """The engine's version; raise NoEngineError when it does not answer."""
        template = "{{.ServerVersion}}" if self.name == "docker" else "{{.Version.Version}}"
        answer = self._query("info", "--format", template)
        if answer.code or not answer.stdout.strip():
            raise NoEngineError(
                f"{self.name} does not answer", got=(answer.stderr.strip() or answer.stdout.strip())[:300]
            )
        return answer.stdout.strip()

    def data_root(self) -> Path | None:
        template = "{{.DockerRootDir}}" if self.name == "docker" else "{{.Store.GraphRoot}}"
        answer = self._query("info", "--format", template)
        return Path(answer.stdout.strip()) if not answer.code and answer.stdout.startswith("/") else None

    def inspect(self, reference: str) -> dict[str, Any] | None:
        answer = self._query("image", "inspect", reference)
        if answer.code:
            return None
        found: dict[str, Any] = json.loads(answer.stdout)[0]
        return found | {"Id": f"sha256:{found['Id'].removeprefix('sha256:')}"}  # podman leaves the algorithm out

    def _build_environment(self) -> dict[str, str]:
        if self.name != "docker":
            return {}
        buildx = self._query("buildx", "version").code == 0
        return {"DOCKER_BUILDKIT": "1" if buildx else "0"}

    def build(self, request: BuildRequest) -> None:
        command = [*self.program, "build", f"--network={request.network}", "--file", str(request.dockerfile)]
        command += ["--tag", request.tag]
        if (environment := self._build_environment()).get("DOCKER_BUILDKIT") == "1":
            command += ["--provenance=false", "--load"]
        else:
            command += ["--force-rm"]
        command += [f"--platform={request.platform}"] if request.platform else []
        command += ["--no-cache"] if request.fresh else []
        command += [f"--build-arg={key}={value}" for key, value in request.arguments.items()]
        command += [f"--label={key}={value}" for key, value in request.labels.items()]
        self.runner.run([*command, str(request.context)], kind="engine_builds", log="images", env=environment)

    def pull(self, reference: str) -> bool:
        self.runner.work.add("downloads")
        return self._query("pull", reference).code == 0

    def save(self, reference: str, path: Path) -> None:
        extra = [] if self.name == "docker" else ["--format", "docker-archive"]
        self._do("save", *extra, "--output", str(path), reference)

    def load(self, path: Path) -> None:
        self._do("load", "--input", str(path))

    def tag(self, reference: str, tag: str) -> None:
        self._do("tag", reference, tag)

    def remove(self, reference: str) -> None:
        self._query("rmi", reference)

    def prune(self, label: str) -> None:
        """Remove nameless images that carry `label`: stages of builds that nothing refers to any more.

        Young ones stay: another build on this machine may stand on them, which its engine does not know.
        """
        self._query("image", "prune", "--force", f"--filter=label={label}", f"--filter=until={SETTLED}")

    def _limits(self) -> list[str]:
        """podman asks for more than its own limits, which a machine that may not raise them refuses: ask for less."""
        return [f"--ulimit={name}={LIMIT}:{LIMIT}" for name in ("nofile", "nproc")] if self.name == "podman" else []

    def start_bare(self, folder: Path) -> Result:
        """Run the program `probe` of a folder that holds nothing else, where the engine can do without an image."""
        return self._query("run", "--rm", "--network=none", *self._limits(), "--rootfs", str(folder), "/probe")

    def _run_command(self, request: RunRequest) -> list[str]:
        command = [*self.program, "run", "--rm", f"--network={request.network}", *self._limits()]
        command += ["--interactive", "--tty"] if request.interactive else []
        command += [f"--volume={host}:{inside}:ro" for host, inside in request.mounts.items()]
        command += [f"--volume={host}:{inside}" for host, inside in request.writable.items()]
        command += [f"--env={key}={value}" for key, value in request.env.items()]
        command += [f"--user={request.user}"] if request.user else []
        command += [f"--platform={request.platform}"] if request.platform else []
        return [*command, request.image, *request.command]

    def run(self, request: RunRequest) -> Result:
        """Run to the end and give the output; an interrupt ends the container too, which ignores mere signals."""
        name = f"mindspore-{uuid4().hex[:12]}"
        command = self._run_command(request)
        try:
            at = len(self.program) + 1
            return self.runner.read([*command[:at], f"--name={name}", *command[at:]])
        except KeyboardInterrupt:
            self._query("kill", name)
            raise

    def attach(self, request: RunRequest) -> int:
        return self.runner.show(self._run_command(request))
