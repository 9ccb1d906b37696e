"""The engines that are known, and which of them this machine has. `MINDSPORE_ENGINE` names one, with options of its own."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ci import probe
from ci.engine import BuildRequest, CliEngine, Result, Runner, RunRequest
from ci.errors import NoEngineError

CHOICE = "MINDSPORE_ENGINE"
NAMES = ("docker", "podman", "buildah")
T = TypeVar("T")


class Buildah(CliEngine):
    """buildah needs no daemon: it builds from the same Dockerfiles, and runs commands in a working container."""

    def version(self) -> str:
        answer = self._query("--version")
        if answer.code:
            raise NoEngineError("buildah does not answer", got=answer.stderr.strip()[:300])
        return answer.stdout.split()[2]

    def data_root(self) -> Path | None:
        answer = self._query("info")
        return Path(json.loads(answer.stdout)["store"]["GraphRoot"]) if answer.code == 0 else None

    def inspect(self, reference: str) -> dict[str, Any] | None:
        answer = self._query("inspect", "--type=image", reference)
        if answer.code:
            return None
        found = json.loads(answer.stdout)
        config, manifest = found["Docker"], json.loads(found.get("Manifest") or "{}")
        size = sum(layer["size"] for layer in manifest.get("layers", []))
        known = {"Config": config["config"], "Created": config["created"], "Size": size}
        return known | {"Id": f"sha256:{found['FromImageID']}", "RootFS": {"Layers": config["rootfs"]["diff_ids"]}}

    def build(self, request: BuildRequest) -> None:
        network = "host" if os.environ.get("BUILDAH_ISOLATION") == "chroot" else request.network
        command = [*self.program, "build", "--format=docker", f"--network={network}", "--file", str(request.dockerfile)]
        command += ["--tag", request.tag, "--layers", "--force-rm"]
        command += [f"--platform={request.platform}"] if request.platform else []
        command += ["--no-cache"] if request.fresh else []
        command += [f"--build-arg={key}={value}" for key, value in request.arguments.items()]
        command += [f"--label={key}={value}" for key, value in request.labels.items()]
        self.runner.run([*command, str(request.context)], kind="engine_builds", log="images")

    def save(self, reference: str, path: Path) -> None:
        self._do("push", reference, f"docker-archive:{path}:{reference}")

    def load(self, path: Path) -> None:
        self._do("pull", f"docker-archive:{path}")

    def prune(self, label: str) -> None:
        """Nothing to do: buildah names no stages."""

    def start_bare(self, folder: Path) -> Result:
        container = self._query("from", "scratch").stdout.strip()
        try:
            self._query("copy", container, str(folder / probe.NAME), f"/{probe.NAME}")
            return self._query("run", container, "--", f"/{probe.NAME}")
        finally:
            self._query("rm", container)

    def run(self, request: RunRequest) -> Result:
        return self._inside(request, self.runner.read)

    def attach(self, request: RunRequest) -> int:
        return self._inside(request, self.runner.show)

    def _inside(self, request: RunRequest, start: Callable[[list[str]], T]) -> T:
        """Run in a working container, which is gone afterwards; what the image starts by itself has to be spelt out."""
        made = self._query("from", "--pull-never", request.image)
        if made.code:
            raise NoEngineError(
                "buildah cannot start from this image", where=request.image, got=made.stderr.strip()[:300]
            )
        container = made.stdout.strip()
        config = (self.inspect(request.image) or {"Config": {}})["Config"]
        words = [*(config.get("Entrypoint") or []), *(request.command or config.get("Cmd") or [])]
        command = [*self.program, "run", *(["--tty"] if request.interactive else [])]
        if os.environ.get("BUILDAH_ISOLATION") != "chroot":
            command += [f"--network={request.network}"]
        command += [f"--volume={host}:{inside}:ro" for host, inside in request.mounts.items()]
        command += [f"--volume={host}:{inside}" for host, inside in request.writable.items()]
        command += [f"--env={key}={value}" for key, value in request.env.items()]
        command += [f"--user={request.user}"] if request.user else []
        try:
            return start([*command, container, "--", *words])
        finally:
            self._query("rm", container)


def known(runner: Runner, name: str, options: list[str] | None = None) -> CliEngine:
    kind = Buildah if name == "buildah" else CliEngine
    return kind(runner, name, options or [])


def installed(runner: Runner) -> list[CliEngine]:
    """The engines whose program is on this machine, working or not; the chosen one alone if there is a choice."""
    if choice := shlex.split(os.environ.get(CHOICE, "")):
        if choice[0] not in NAMES:
            raise NoEngineError("an unknown engine was chosen", where=CHOICE, expected=", ".join(NAMES), got=choice[0])
        return [known(runner, choice[0], choice[1:])]
    return [known(runner, name) for name in NAMES if runner.find(name)]


def proven(engine: CliEngine) -> CliEngine:
    """The engine if it starts programs, through runc where its own runtime cannot; else raise NoEngineError with what it said."""
    engine.version()
    if engine.name == "docker" or not (said := probe.refusal(engine.start_bare)):
        return engine
    runc = engine.runner.find("runc")
    if engine.name == "podman" and len(engine.program) == 1 and runc:
        other = known(engine.runner, engine.name, ["--runtime", runc])
        if not probe.refusal(other.start_bare):
            return other
    raise NoEngineError(f"{engine.name} starts no program", got=said)


def detect(runner: Runner) -> CliEngine:
    """The first engine that answers and starts programs; raise NoEngineError naming what each one said."""
    refusals = []
    for engine in installed(runner):
        try:
            return proven(engine)
        except NoEngineError as refusal:
            refusals.append(f"{engine.name}: {refusal.got}")
    raise NoEngineError(
        "no container engine answers",
        expected=f"one of {', '.join(NAMES)}, running and open to this user",
        got="; ".join(refusals) or "none is installed",
        fix=f"run `python3 tasks.py setup` as root, install docker.io and start its service, or name one in {CHOICE}",
    )
