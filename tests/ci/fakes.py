"""A runner that starts nothing and an engine that holds its images in a dictionary."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ci.engine import BuildRequest, Kind, Result, Runner, RunRequest

SHELL = b"\x7fELF" + bytes(14) + (62).to_bytes(2, "little")  # the head of an ELF file for x86-64
Effect = Callable[[list[str]], Result | None]


class FakeRunner(Runner):
    """Notes every command line; `effects` maps the start of one to what it does instead."""

    def __init__(self, logs: Path, programs: Iterable[str] = ()) -> None:
        super().__init__(logs)
        self.work.downloads = 0
        self.programs = set(programs)
        self.commands: list[list[str]] = []
        self.effects: dict[str, Effect] = {}

    def find(self, program: str) -> str | None:
        return f"/usr/bin/{program}" if program in self.programs else None

    def _answer(self, argv: Sequence[str]) -> Result:
        self.commands.append(list(argv))
        line = " ".join(argv)
        for start, effect in self.effects.items():
            if line.startswith(start) or f" {start}" in line:
                return effect(list(argv)) or Result(0, "")
        return Result(0, "")

    def read(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Result:
        return self._answer(argv)

    def run(
        self,
        argv: Sequence[str],
        *,
        kind: Kind = "",
        log: str = "commands",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.work.add(kind)
        self._answer(argv)

    def show(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> int:
        return self._answer(argv).code


def saved_image(path: Path, files: Mapping[str, bytes], labels: Mapping[str, str], mtime: int = 2_000_000_000) -> None:
    """Write what `docker save` gives for an image of one layer."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        for name, content in files.items():
            _add(tar, name, content, mtime)
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Labels": dict(labels), "Hostname": str(mtime)},
        "container": str(mtime),
        "created": str(mtime),
        "history": [{"created": str(mtime), "created_by": "COPY everything"}],
        "rootfs": {"type": "layers", "diff_ids": ["sha256:old"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": ["passing:1"], "Layers": ["1/layer.tar"]}]
    with tarfile.open(path, "w") as tar:
        _add(tar, "config.json", json.dumps(config).encode(), mtime)
        _add(tar, "1/layer.tar", layer.getvalue(), mtime)
        _add(tar, "manifest.json", json.dumps(manifest).encode(), mtime)


def _add(tar: tarfile.TarFile, name: str, content: bytes, mtime: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.uname = len(content), mtime, f"builder{mtime}"
    tar.addfile(member, io.BytesIO(content))


class FakeEngine:
    """Keeps images as dictionaries like `inspect` gives; a build takes the context's file names for content."""

    name = "fake"

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.images: dict[str, dict[str, Any]] = {}
        self.builds: list[BuildRequest] = []
        self.registry: set[str] = set()
        self.layer_bytes = 1000
        self.on_run: Callable[[RunRequest], Result] = lambda request: Result(0, "")

    def version(self) -> str:
        return "1.0"

    def data_root(self) -> Path | None:
        return None

    def inspect(self, reference: str) -> dict[str, Any] | None:
        return self.images.get(reference)

    def build(self, request: BuildRequest) -> None:
        self.runner.work.add("engine_builds")
        self.builds.append(request)
        self.images[request.tag] = {"Id": f"sha256:{len(self.builds)}", "Config": {"Labels": dict(request.labels)}}

    def pull(self, reference: str) -> bool:
        self.runner.work.add("downloads")
        if reference in self.registry:
            self.images[reference] = {"Id": "sha256:pulled", "Config": {"Labels": {}}}
        return reference in self.registry

    def save(self, reference: str, path: Path) -> None:
        labels = self.images[reference]["Config"]["Labels"]
        saved_image(path, {"file": b"x" * self.layer_bytes, "usr/bin/dash": SHELL}, labels)

    def load(self, path: Path) -> None:
        with tarfile.open(path) as tar:
            manifest = json.loads(_content(tar, "manifest.json"))[0]
            config = json.loads(_content(tar, manifest["Config"]))
        found = {"Id": f"sha256:{manifest['Config'][:-5]}", "Config": config["config"], "Size": 1}
        self.images |= dict.fromkeys(manifest["RepoTags"], found)

    def tag(self, reference: str, tag: str) -> None:
        self.images[tag] = self.images[reference]

    def remove(self, reference: str) -> None:
        self.images.pop(reference, None)

    def prune(self, label: str) -> None:
        pass

    def run(self, request: RunRequest) -> Result:
        return self.on_run(request)

    def attach(self, request: RunRequest) -> int:
        return self.on_run(request).code


def _content(tar: tarfile.TarFile, name: str) -> bytes:
    stream = tar.extractfile(name)
    assert stream is not None
    return stream.read()
