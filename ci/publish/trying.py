"""Uses what was staged before it is promoted: the wheel in a clean environment, the image in a container engine."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from ci import archive, emulation, oci, pythons, report, wheelhouse
from ci.engine import Engine, Runner, RunRequest
from ci.errors import CheckError, CommandError
from ci.paths import BUILD, ROOT
from ci.publish.errors import RefusedError
from ci.publish.material import File, PlatformImage
from ci.publish.registry import Registry
from ci.publish.store import Store
from ci.publish.testers import ReadBack
from ci.trust.keys import TrustedKey
from release.model import Manifest
from release.rows import ImageRow, Kind, WheelRow

STRANGER = "4242:4242"
SELF_CHECK = ("python3", "-m", "mindspore")
COMMANDS: dict[Kind, tuple[str, ...]] = {
    "devel": ("python3", "-m", "pip", "check"),
    "runtime": ("python3", "-m", "pip", "check"),
    "release": SELF_CHECK,
}


@dataclass(frozen=True)
class Trial:
    """What trying needs: the rows by which artefacts are known, and an engine that is only asked for when it is used.

    `house` gives the folder with the packages that a wheel asks for; nothing comes from elsewhere.
    """

    manifest: Manifest
    runner: Runner
    engine: Callable[[], Engine]
    house: Callable[[WheelRow], Path]


def locked_packages(runner: Runner) -> Callable[[WheelRow], Path]:
    """The packages of the runtime image of the wheel's Python."""

    def house(row: WheelRow) -> Path:
        lock = wheelhouse.Lock(row.python, row.platform.arch, "runtime")
        return wheelhouse.ensure(runner, sys.executable, lock, ROOT)

    return house


class Used(ReadBack):
    """Reads everything back and runs what this machine can run; what it cannot is said."""

    def __init__(self, trusted: Sequence[TrustedKey], trial: Trial) -> None:
        super().__init__(trusted)
        self.trial = trial

    def test_file(self, store: Store, key: str, file: File) -> None:
        super().test_file(store, key, file)
        row = next(row for row in self.trial.manifest.wheel_rows() if row.tag == file.row)
        python = _interpreter(self.trial.runner, row)
        if python is None:
            report.say(f"    not run: this machine has no Python {row.python} of {row.platform.name}")
            return
        with _scratch() as name:
            wheel = Path(name) / PurePosixPath(key).name
            wheel.write_bytes((store.read(key) or (b"",))[0])
            self._use_wheel(python, row, wheel, f"{store.where}/{key}")

    def _use_wheel(self, python: str, row: WheelRow, wheel: Path, where: str) -> None:
        """Install the wheel, with what it asks for and nothing else, and run its self-check away from any checkout."""
        venv, runner = wheel.parent / "venv", self.trial.runner
        inside, clean = str(venv / "bin" / "python"), {"PYTHONPATH": "", "PIP_FIND_LINKS": ""}
        install = ["-m", "pip", "--isolated", "--disable-pip-version-check", "install", "--no-cache-dir", "--no-index"]
        install += [f"--find-links={self.trial.house(row)}", str(wheel)]
        try:
            runner.run([python, "-m", "venv", str(venv)], log="staged")
            runner.run([inside, *install], log="staged", env=clean)
            runner.run([inside, *SELF_CHECK[1:]], log="staged", env=clean, cwd=wheel.parent)
        except CommandError as error:
            raise RefusedError("the staged wheel does not work", where=where, got=str(error)) from None

    def test_image(self, registry: Registry, repository: str, member: PlatformImage) -> None:
        row = next(row for row in self.trial.manifest.image_rows() if row.id == member.row)
        if not emulation.runs(row.arch):
            super().test_image(registry, repository, member)
            report.say(f"    not run: this machine has no emulator for {row.arch}")
            return
        self.check_statements(member)
        with _scratch() as name:
            tag = f"mindspore-staged:{member.slug}"
            fetch(registry, repository, member.image.manifest.digest, tag, Path(name))
            engine = self.trial.engine()
            engine.load(Path(name) / "image.tar")
            try:
                self._use_image(engine, tag, row, member)
            finally:
                engine.remove(tag)

    def _use_image(self, engine: Engine, tag: str, row: ImageRow, member: PlatformImage) -> None:
        machine = row.platform if row.arch != platform.machine() else ""
        done = engine.run(RunRequest(tag, COMMANDS[member.kind], user=STRANGER, platform=machine))
        if done.code:
            got = f"exit code {done.code}: {(done.stdout + done.stderr)[-500:]}"
            raise RefusedError("the staged image does not work", where=member.slug, got=got)


def _interpreter(runner: Runner, row: WheelRow) -> str | None:
    """A Python of this machine that a wheel is for."""
    if row.platform.system != "linux" or row.platform.arch != platform.machine():
        return None
    return pythons.find(runner, row.python)


def _scratch() -> TemporaryDirectory[str]:
    BUILD.mkdir(exist_ok=True)
    return TemporaryDirectory(prefix="staged-", dir=BUILD)


def fetch(registry: Registry, repository: str, digest: str, tag: str, folder: Path) -> None:
    """Write the image with this digest as `image.tar` into a folder, for an engine to load as `tag`."""
    found = registry.manifest(repository, digest)
    if found is None:
        raise CheckError("the staged image is missing", where=f"{registry.where}/{repository}", expected=digest)
    manifest = json.loads(found.data)
    blobs = oci.Layout(folder)
    for part in (manifest["config"], *manifest["layers"]):
        registry.fetch(repository, part["digest"], blobs.blob(part["digest"]))
    archive.write_archive(manifest, blobs.blob, tag, folder / "image.tar")
