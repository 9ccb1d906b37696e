"""A small checkout with a fake engine, in a folder of its own."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
from pathlib import Path

import pytest

from ci import debs
from ci.engine import Result, RunRequest
from ci.paths import MANIFEST, ROOT
from ci.shop import Shop
from ci.wheels import wheel_row
from release.matrix import default_row, wheel_name
from release.model import Manifest, load_manifest
from release.rows import ImageRow
from tests.ci.fakes import FakeEngine, FakeRunner
from tests.ci.wheel_files import write_wheel


@pytest.fixture
def manifest() -> Manifest:
    return load_manifest(MANIFEST)


@pytest.fixture
def row(manifest: Manifest) -> ImageRow:
    return default_row(manifest)


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeRunner:
    """A runner whose pip downloads the one package that the locks of `checkout` name, and whose mmdebstrap works."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    made = FakeRunner(tmp_path / "logs", ["mmdebstrap", "git"])
    made.effects["mmdebstrap"] = lambda argv: _root_file_system(
        Path(argv[-2] if argv[-1].startswith("deb ") else argv[-1])
    )
    made.effects["pip --disable-pip-version-check download"] = lambda argv: _write(
        Path(_option(argv, "--dest")) / "numpy-2-py3-none-any.whl", b"numpy"
    )
    return made


def _write(path: Path, content: bytes) -> Result:
    path.write_bytes(content)
    return Result(0, "")


def _root_file_system(tar: Path) -> Result:
    with tarfile.open(tar, "w") as archive:
        archive.addfile(tarfile.TarInfo("etc"))
    return Result(0, "")


def _locked_packages(root: Path, archive: Path) -> None:
    """Locks of three packages, one of each set, and an archive that has them."""
    sets: dict[str, dict[str, list[debs.Deb]]] = {}
    for arch in ("x86_64", "aarch64"):
        sets[arch] = {}
        for name in debs.SET:
            path = archive / "debian" / f"{name}_1_{arch}.deb"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"{name} for {arch}".encode())
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            sets[arch][name] = [debs.Deb(name, "1", digest, f"debian/{path.name}")]
    text = debs.text_of(f"file://{archive}", "20231114T221320Z", sets)
    for lock in (root / "docker/locks").glob("*.toml"):
        lock.write_text(text, encoding="utf-8")


def _option(argv: list[str], name: str) -> str:
    return next(word.partition("=")[2] for word in argv if word.startswith(f"{name}="))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the real templates and Dockerfiles, tiny sources, and locks that name one package."""
    root = tmp_path / "checkout"
    for folder in ("docker", "ci/templates"):
        shutil.copytree(ROOT / folder, root / folder)
    shutil.copy(ROOT / "pyproject.toml", root)
    (root / "framework" / "mindspore").mkdir(parents=True)
    (root / "framework" / "mindspore" / "__init__.py").write_text("", encoding="utf-8")
    digest = hashlib.sha256(b"numpy").hexdigest()
    for lock in (root / "docker").glob("*/locks/*.txt"):
        lock.write_text(f"numpy==2 --hash=sha256:{digest}\n", encoding="utf-8")
    (root / "docker/sizes.toml").unlink()
    _locked_packages(root, tmp_path / "archive")
    return root


@pytest.fixture
def engine(runner: FakeRunner) -> FakeEngine:
    return FakeEngine(runner)


@pytest.fixture
def shop(engine: FakeEngine, runner: FakeRunner, manifest: Manifest, row: ImageRow, checkout: Path) -> Shop:
    """A shop whose devel image builds a wheel that holds one library."""
    made = Shop(engine, runner, manifest, checkout, "python")

    def build_wheel(request: RunRequest) -> Result:
        folders = {inside: host for host, inside in request.writable.items()}
        name = wheel_name(wheel_row(made, row.python, request.env["MACHINE"]), manifest.current.text)
        write_wheel(folders["/out"] / name, {"mindspore/__init__.py": b""})
        (folders["/build"] / "compilations").write_text("cc\n", encoding="utf-8")
        return Result(0, name)

    engine.on_run = build_wheel
    return made
