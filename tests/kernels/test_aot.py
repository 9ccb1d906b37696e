"""The ahead-of-time generator: what it writes, that it writes the same again, and that it compiles no more than it must."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from mindspore.kernels import aot, target
from mindspore.kernels.catalog import KernelSpec

GROUPS = ("move_fill", "elementwise_add", "argreduce_max")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[KernelSpec, ...]]:
    """A small table, built in this process."""
    kept = {name: aot.groups()[name][:3] for name in GROUPS}
    monkeypatch.setattr(aot, "groups", lambda: kept)
    monkeypatch.setattr(aot, "ProcessPoolExecutor", _Inline)
    return kept


class _Inline:
    def __init__(self, workers: int) -> None:
        assert workers <= 2

    def __enter__(self) -> _Inline:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    map = staticmethod(map)


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


def test_output_is_complete_and_deterministic(few: object, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert aot.main(["--output", str(tmp_path / name), "--arch", "x86_64"]) == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    listed = (tmp_path / "a" / "objects.txt").read_text().split()
    assert listed == [f"{g}_{level}.o" for g in GROUPS for level in ("v2", "v3", "v4")]
    assert all((tmp_path / "a" / o).stat().st_size > 0 for o in listed)


def test_nothing_is_compiled_twice(few: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["--output", str(tmp_path / "out"), "--arch", "aarch64", "--cache", str(tmp_path / "cache")]
    assert aot.main(arguments) == 0
    shutil.rmtree(tmp_path / "out")
    monkeypatch.setattr(target, "compile_object", lambda *a: pytest.fail("compiled again"))
    assert aot.main(arguments) == 0
    assert len(list((tmp_path / "cache").iterdir())) == len(GROUPS)


def test_wrong_architectures_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert aot.main(["--output", str(tmp_path / "out"), "--arch", "vax"]) == 2
    assert "expected one of x86_64, aarch64, got 'vax'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.compiler
def test_the_table_compiles_and_links(few: object, tmp_path: Path) -> None:
    compiler = shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        pytest.skip("no C++ compiler")
    out = tmp_path / "out"
    assert aot.main(["--output", str(out), "--arch", "x86_64"]) == 0
    include = Path(__file__).parents[2] / "framework" / "native"
    (tmp_path / "main.cpp").write_text(
        '#include "runtime_abi.h"\n#include <cstdio>\n'
        "int main() { for (size_t i = 0; i < ms_kernel_count; i++)"
        ' printf("%s %s %d\\n", ms_kernel_table[i].name, ms_kernel_table[i].level, ms_kernel_table[i].fn != nullptr); }\n'
    )
    objects = [str(out / o) for o in (out / "objects.txt").read_text().split()]
    sources = [str(tmp_path / "main.cpp"), str(out / "table.cpp")]
    subprocess.run(
        [compiler, "-Wall", "-Werror", f"-I{include}", *sources, *objects, "-o", str(tmp_path / "main")], check=True
    )
    lines = subprocess.run([str(tmp_path / "main")], check=True, capture_output=True, text=True).stdout.split("\n")
    names = sorted(s.name for specs in aot.groups().values() for s in specs)
    assert lines[:-1] == [f"{n} {level} 1" for n in names for level in ("v2", "v3", "v4")]
