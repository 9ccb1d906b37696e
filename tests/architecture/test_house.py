"""The house rules: storeys, cycles, sizes. They read the sources and import nothing of the product."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FRAMEWORK = ROOT / "framework" / "mindspore"

STOREYS: dict[str, float] = {
    "base": 0,
    "ir": 1,
    "primitives": 2,
    "infer": 3,
    "frontend": 4,
    "autodiff": 4,
    "passes": 4,
    "kernels": 4,
    "_native": 4.5,
    "backends": 5,
    "compiler": 6,
    "context": 7,
    "common": 7.1,
    "ops": 7.2,
    "nn": 8,
    "numpy": 8,
    "runtime": 8,
    "__main__": 9,
    "__init__": 9,
}
HALVES = {"release": 0, "ci": 1, "tasks": 2}
MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 80
PYTHON = [*FRAMEWORK.rglob("*.py"), *(ROOT / "release").rglob("*.py"), *(ROOT / "ci").rglob("*.py"), ROOT / "tasks.py"]
NATIVE = [p for suffix in ("*.cpp", "*.h", "*.cc", "*.hpp") for p in (ROOT / "framework" / "native").rglob(suffix)]


def room(path: Path) -> str:
    return path.relative_to(FRAMEWORK).parts[0].removesuffix(".py")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path) -> tuple[tuple[int, str], ...]:
    """Line and dotted name of each absolute import, with ``from a import b`` given as ``a.b``."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def imported_rooms(path: Path) -> Iterator[tuple[int, str]]:
    for line, name in imports(path):
        parts = name.split(".")
        if parts[0] == "mindspore" and len(parts) > 1:
            yield line, parts[1]


def is_type_checking_only(path: Path, line: int) -> bool:
    """Whether the import on `line` stands under ``if TYPE_CHECKING``."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            assert node.end_lineno is not None
            if node.lineno <= line <= node.end_lineno:
                return True
    return False


@pytest.mark.parametrize("path", sorted(FRAMEWORK.rglob("*.py")), ids=lambda p: str(p.relative_to(FRAMEWORK)))
def test_rooms_import_only_from_lower_storeys(path: Path) -> None:
    own = room(path)
    assert own in STOREYS, f"{own} is a room without a storey: add it to ARCHITECTURE.md and to STOREYS"
    for line, other in imported_rooms(path):
        if other == own or own == "__init__":
            continue
        assert other in STOREYS or STOREYS[own] >= 7, f"{path}:{line} imports mindspore.{other}, which is no room"
        if other in STOREYS:
            assert STOREYS[other] < STOREYS[own], f"{path}:{line}: {own} (storey {STOREYS[own]}) imports {other}"


def test_the_two_halves_do_not_know_each_other() -> None:
    for path in PYTHON:
        half = path.relative_to(ROOT).parts[0].removesuffix(".py")
        for line, name in imports(path):
            top = name.split(".")[0]
            if half == "framework":
                assert top not in HALVES, f"{path}:{line}: the framework imports {top}"
            else:
                assert top != "mindspore", f"{path}:{line}: {half} imports the framework"
                assert HALVES.get(top, -1) <= HALVES[half], f"{path}:{line}: {half} imports {top}"


def test_ci_is_built_in_storeys() -> None:
    storeys = ["trust", "publish", "rehearsal", "tasks"]
    for path in (ROOT / "ci").rglob("*.py"):
        own = path.relative_to(ROOT / "ci").parts[0]
        if own in storeys:
            higher = storeys[storeys.index(own) + 1 :]
            for line, name in imports(path):
                assert not any(name.startswith(f"ci.{room}") for room in higher), f"{path}:{line}: {own} imports {name}"


def module_name(path: Path) -> str:
    base = FRAMEWORK.parent if FRAMEWORK in path.parents else ROOT
    parts = list(path.relative_to(base).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_there_is_no_import_cycle() -> None:
    modules = {module_name(p): p for p in PYTHON}
    edges: dict[str, set[str]] = {}
    for name, path in modules.items():
        targets = set()
        for line, imported in imports(path):
            target = imported if imported in modules else imported.rpartition(".")[0]
            if target in modules and target != name and not _lazy(path, line) and not is_type_checking_only(path, line):
                targets.add(target)
        edges[name] = targets
    done: set[str] = set()
    for start in edges:
        _assert_acyclic(start, edges, done)


def _lazy(path: Path, line: int) -> bool:
    """Whether the import on `line` stands inside a function."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            if node.lineno < line <= node.end_lineno:
                return True
    return False


def _assert_acyclic(start: str, edges: dict[str, set[str]], done: set[str]) -> None:
    path: list[str] = []
    stack: list[tuple[str, bool]] = [(start, False)]
    while stack:
        name, leaving = stack.pop()
        if leaving:
            path.pop()
            done.add(name)
        elif name not in done:
            assert name not in path, f"import cycle: {' -> '.join([*path[path.index(name) :], name])}"
            path.append(name)
            stack.append((name, True))
            stack.extend((n, False) for n in sorted(edges[name]))


@pytest.mark.parametrize("path", sorted([*PYTHON, *NATIVE]), ids=lambda p: str(p.relative_to(ROOT)))
def test_files_stay_small(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MAX_FILE_LINES, f"{path} has {lines} lines; split it (at most {MAX_FILE_LINES})"


@pytest.mark.parametrize("path", sorted(PYTHON), ids=lambda p: str(p.relative_to(ROOT)))
def test_functions_stay_small(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            length = node.end_lineno - node.lineno + 1
            assert length <= MAX_FUNCTION_LINES, f"{path}:{node.lineno} {node.name} has {length} lines; split it"


def test_processes_are_started_in_two_modules_only() -> None:
    allowed = {ROOT / "ci" / "engine.py", ROOT / "ci" / "git.py", ROOT / "ci" / "process.py", ROOT / "tasks.py"}
    for path in PYTHON:
        if path not in allowed and FRAMEWORK not in path.parents:
            assert all(name.split(".")[0] != "subprocess" for _, name in imports(path)), f"{path} starts processes"
