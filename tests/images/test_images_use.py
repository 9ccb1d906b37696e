"""The images in use: the self-check, the README's programs, training, installing and building the wheel."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ci.images import is_foreign
from ci.paths import DIST, ROOT, cache_dir
from release.rows import ImageRow, Kind
from tests.images.conftest import Run

pytestmark = pytest.mark.engine

EXAMPLES = {ROOT / "examples": "/examples"}
STRANGER = "4242:4242"
PRODUCT = "[ 4. 10. 18.]"

PROJECT = """
[build-system]
requires = ["scikit-build-core", "nanobind"]
build-backend = "scikit_build_core.build"
[project]
name = "small"
version = "1"
"""
CMAKE = """
cmake_minimum_required(VERSION 3.26)
project(small CXX)
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)
execute_process(COMMAND ${Python_EXECUTABLE} -m nanobind --cmake_dir
                OUTPUT_STRIP_TRAILING_WHITESPACE OUTPUT_VARIABLE nanobind_ROOT)
find_package(nanobind CONFIG REQUIRED)
nanobind_add_module(_small NB_STATIC small.cpp)
install(TARGETS _small LIBRARY DESTINATION .)
"""
SOURCE = """
#include <nanobind/nanobind.h>
#include <stdexcept>
int twice(int x) { if (x < 0) throw std::runtime_error("negative"); return 2 * x; }
NB_MODULE(_small, m) { m.def("twice", &twice); }
"""


@pytest.mark.parametrize("user", ["", STRANGER])
def test_the_self_check_computes(inside: Run, user: str) -> None:
    done = inside("release", "python3", "-m", "mindspore", user=user)
    assert done.code == 0, done.stderr
    assert PRODUCT in done.stdout


def test_the_default_command_is_the_self_check(inside: Run, row: ImageRow) -> None:
    done = inside("release")
    if row.hardware == "cpu":
        assert (done.code, PRODUCT in done.stdout) == (0, True), done.stderr
    elif not list(Path("/dev").glob("nvidia[0-9]*")):
        assert done.code == 1
        assert f"no {row.hardware} device is present" in done.stdout
        assert "--gpus all" in done.stdout


def test_the_vendors_libraries_load_without_a_device(inside: Run, row: ImageRow) -> None:
    if row.hardware != "gpu":
        pytest.skip(f"{row.id} has no vendor's libraries")
    lines = inside("runtime", "mindspore-device").stdout.splitlines()
    loaded = [line for line in lines if line.startswith("ok") and line.endswith("loads")]
    assert [line.split()[1].partition(".so")[0] for line in loaded] == [
        "libcudart",
        "libcublasLt",
        "libcudnn",
        "libnccl",
    ]


def test_the_branch_is_told_once_on_stderr(inside: Run) -> None:
    done = inside("runtime", "echo", "out")
    assert done.stdout == "out\n"
    assert "MindSpore r2.0 is in" in done.stderr
    assert "MindSpore" not in inside("runtime", "echo", env={"MINDSPORE_QUIET": "1"}).stderr


def test_no_library_path_is_bent(inside: Run) -> None:
    assert inside("release", "sh", "-c", 'echo "[$LD_LIBRARY_PATH$LD_PRELOAD]"').stdout == "[]\n"


def test_a_shell_replaces_the_default_command(inside: Run) -> None:
    """The entry point is gone: it is neither the shell's parent nor, where the engine gives process numbers, the first one."""
    done = inside("release", "bash", "-c", "echo $0; cat /proc/1/comm; cat /proc/$PPID/comm 2>/dev/null; true")
    shell, *others = done.stdout.split("\n")
    assert shell == "bash"
    assert not [name for name in others if name.startswith(("mindspore", "sh"))]


def test_an_exit_code_comes_through(inside: Run) -> None:
    assert inside("release", "sh", "-c", "exit 7").code == 7


def test_the_first_program_of_the_readme(inside: Run) -> None:
    done = inside("release", "python3", "/examples/readme_mul.py", mounts=EXAMPLES)
    assert done.stdout == f"{PRODUCT}\n", done.stderr


def test_the_second_program_of_the_readme(inside: Run) -> None:
    done = inside("release", "python3", "/examples/readme_tensor_add.py", mounts=EXAMPLES)
    assert done.stdout == f"{np.full([1, 3, 3, 4], 2, np.float32)}\n", done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["graph", "pynative"])
def test_the_digits_are_learnt(inside: Run, row: ImageRow, mode: str) -> None:
    if is_foreign(row):
        pytest.skip("an emulator would take many minutes; the README's programs run there")
    done = inside("release", "python3", "/examples/digits_mlp.py", "--mode", mode, mounts=EXAMPLES, user=STRANGER)
    assert done.code == 0, done.stdout + done.stderr
    reached = re.search(r"accuracy ([\d.]+)%", done.stdout)
    assert reached is not None, done.stdout
    assert float(reached[1]) >= 95.0


def test_the_runtime_image_installs_the_wheel_without_network(inside: Run, row: ImageRow) -> None:
    script = f"python3 -m pip install --quiet --no-index /dist/mindspore-*{row.arch}.whl && python3 -m mindspore"
    kind: Kind = "runtime"
    assert inside(kind, "python3", "-c", "import mindspore").code != 0
    done = inside(kind, "bash", "-c", script, mounts={DIST: "/dist"})
    assert done.code == 0, done.stderr
    assert PRODUCT in done.stdout


@pytest.mark.slow
def test_the_devel_image_builds_a_wheel_for_anybody(inside: Run, row: ImageRow, tmp_path: Path, writable: Path) -> None:
    """Without network, from a checkout that is read-only and belongs to another user."""
    checkout = tmp_path / "checkout"
    (checkout / "framework").mkdir(parents=True)
    (checkout / "pyproject.toml").write_text(
        f'{PROJECT}[tool.scikit-build]\ncmake.source-dir = "framework"\n', encoding="utf-8"
    )
    (checkout / "framework/CMakeLists.txt").write_text(CMAKE, encoding="utf-8")
    (checkout / "framework/small.cpp").write_text(SOURCE, encoding="utf-8")
    options: dict[str, Any] = {"mounts": {checkout: "/src"}, "writable": {writable: "/out"}, "user": STRANGER}
    if os.geteuid() == 0:  # then the stranger has built the row's wheel, and zig's C++ library lies in its cache
        options["writable"] |= {cache_dir("wheel-image"): "/cache"}
        options["env"] = {"CACHE_DIR": "/cache"}
    done = inside("devel", "build-wheel", **options)
    assert done.code == 0, done.stdout + done.stderr
    abi = f"cp{row.python.replace('.', '')}"
    assert [path.name for path in writable.iterdir()] == [f"small-1-{abi}-{abi}-manylinux_2_28_{row.arch}.whl"]
    use = "python3 -m pip install --quiet --no-index /out/*.whl && python3 -c 'import _small; print(_small.twice(21))'"
    assert inside("runtime", "bash", "-c", use, mounts={writable: "/out"}).stdout == "42\n"


def test_the_devel_image_explains_a_missing_mount(inside: Run) -> None:
    done = inside("devel", "build-wheel")
    assert done.code == 2
    assert "no checkout at /src" in done.stderr
