"""The wheels of `dist`, each in a clean environment of its Python; `python3 tasks.py wheel.test` builds them first."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import sys
import tomllib
from email.parser import BytesHeaderParser
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import parse_wheel_filename

from ci import pythons, wheels
from ci.engine import Result, Runner
from ci.paths import DIST, MANIFEST, ROOT
from ci.testing import TESTED_WHEELS
from ci.wheelhouse import Lock
from release.matrix import wheel_name
from release.model import Manifest, load_manifest
from release.rows import WheelRow

PRODUCT = "[ 4. 10. 18.]"
POLICY = re.compile(r'"manylinux_2_(\d+)_')


def _rows() -> list[WheelRow]:
    tags = os.environ.get(TESTED_WHEELS, "").split()
    return [row for row in load_manifest(MANIFEST).wheel_rows() if row.tag in tags]


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return load_manifest(MANIFEST)


@pytest.fixture(scope="module", params=_rows(), ids=lambda row: row.tag)
def row(request: pytest.FixtureRequest) -> WheelRow:
    found: WheelRow = request.param
    return found


@pytest.fixture(scope="module")
def wheel(manifest: Manifest, row: WheelRow) -> Path:
    return DIST / wheel_name(row, manifest.current.text)


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    return Runner(tmp_path_factory.mktemp("logs"))


@pytest.fixture(scope="module")
def python(runner: Runner, row: WheelRow, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the locked dependencies and the wheel."""
    lock = Lock(row.python, row.platform.arch, "runtime")
    made = pythons.environment(runner, lock, tmp_path_factory.mktemp("environment") / row.python)
    runner.run([str(made), "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", str(wheel)])
    return made


def _run(runner: Runner, python: Path, *words: str) -> Result:
    """Run Python away from the checkout and without its path."""
    return runner.read([str(python), *words], cwd=python.parent, env={"PYTHONPATH": ""})


def test_the_name_the_tags_and_the_metadata_agree(manifest: Manifest, row: WheelRow, wheel: Path) -> None:
    name, version, _, tags = parse_wheel_filename(wheel.name)
    assert (name, str(version)) == ("mindspore", manifest.current.text)
    with ZipFile(wheel) as archive:
        folder = f"mindspore-{version}.dist-info"
        about = BytesHeaderParser().parsebytes(archive.read(f"{folder}/METADATA"))
        kind = BytesHeaderParser().parsebytes(archive.read(f"{folder}/WHEEL"))
        assert archive.read(f"{folder}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (about["Name"], about["Version"], about["License-Expression"]) == ("mindspore", str(version), "Apache-2.0")
    wanted = {str(Requirement(line)) for line in project["dependencies"]}
    assert {str(Requirement(line)) for line in about.get_all("Requires-Dist", [])} == wanted
    assert set(about["Requires-Python"].split(",")) == set(project["requires-python"].split(","))
    assert kind.get_all("Tag") == [row.tag]
    assert {str(tag) for tag in tags} == {row.tag}
    assert kind["Root-Is-Purelib"] == "false"


def test_the_record_has_the_hash_of_every_file(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/RECORD"))
        lines = (line.rsplit(",", 2) for line in archive.read(name).decode().splitlines())
        noted = {path: (digest, size) for path, digest, size in lines}
        assert set(noted) == {entry for entry in archive.namelist() if not entry.endswith("/")}
        for path, (digest, size) in noted.items():
            content = archive.read(path)
            found = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            assert path == name or (digest, size) == (f"sha256={found}", str(len(content))), path


def test_the_module_is_for_this_python_and_machine_and_fits_the_policy(
    runner: Runner, row: WheelRow, wheel: Path
) -> None:
    wheels.check(wheel, row)
    with ZipFile(wheel) as archive:
        modules = [entry for entry in archive.namelist() if "cpython" in entry]
    version = row.python.replace(".", "")
    assert modules == [f"mindspore/_native.cpython-{version}-{row.platform.arch}-linux-gnu.so"]
    shown = runner.read([sys.executable, "-m", "auditwheel", "show", str(wheel)])
    found = POLICY.search(shown.stdout)
    assert found is not None, shown.stdout + shown.stderr
    assert int(found[1]) <= 28, shown.stdout


def test_the_installed_package_lacks_nothing_and_computes(runner: Runner, python: Path) -> None:
    assert _run(runner, python, "-m", "pip", "check").stdout == "No broken requirements found.\n"
    where = _run(runner, python, "-c", "import mindspore; print(mindspore.__file__)")
    assert where.stdout.startswith(str(python.parents[1])), where.stderr
    done = _run(runner, python, "-m", "mindspore")
    assert done.code == 0, done.stderr
    assert PRODUCT in done.stdout


def test_the_programs_of_the_readme(runner: Runner, python: Path) -> None:
    product = _run(runner, python, str(ROOT / "examples/readme_mul.py"))
    assert product.stdout == f"{PRODUCT}\n", product.stderr
    total = _run(runner, python, str(ROOT / "examples/readme_tensor_add.py"))
    assert total.stdout == f"{np.full([1, 3, 3, 4], 2, np.float32)}\n", total.stderr


def test_pip_refuses_the_wheel_of_another_python(runner: Runner, python: Path, row: WheelRow, wheel: Path) -> None:
    major, minor = row.python.split(".")
    other = wheel.parent / wheel.name.replace(f"cp{major}{minor}", f"cp{major}{int(minor) + 1}")
    command = ["-m", "pip", "install", "--dry-run", "--no-index", "--no-deps", str(other)]
    assert "is not a supported wheel on this platform" in _run(runner, python, *command).stderr
