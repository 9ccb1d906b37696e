"""The pages are true: their Python blocks run in order, and print the text that follows them; docstrings' examples too."""

from __future__ import annotations

import contextlib
import doctest
import io
import re
from importlib import import_module
from pathlib import Path

import pytest

from mindspore.context import reset_context

pytestmark = pytest.mark.compiler

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
WITH_EXAMPLES = (
    "mindspore.context", "mindspore.common.api", "mindspore.common.dtype", "mindspore.common.gradients",
    "mindspore.common.initializer", "mindspore.common.parameter", "mindspore.common.seed", "mindspore.common.state",
    "mindspore.common.tensor", "mindspore.nn.basic", "mindspore.nn.cell", "mindspore.nn.containers", "mindspore.nn.loss",
    "mindspore.nn.optimizer", "mindspore.nn.summary", "mindspore.compiler.times", "mindspore.ops.debug", "mindspore.nn.wrap",
    "mindspore.nn.computing", "mindspore.nn.contents", "mindspore.nn.decaying_rates", "mindspore.nn.shaping", "mindspore.nn.activation",
    "mindspore.nn.scaled_descent",
    "mindspore.nn.group_normalization", "mindspore.ops.binary_losses",
    "mindspore.ops.conversions", "mindspore.ops.sums_of_products", "mindspore.ops.random", "mindspore.common.matrices",
)  # fmt: skip


def blocks(page: Path) -> list[tuple[str, str, int]]:
    """Language, content and first line of each block."""
    text = page.read_text(encoding="utf-8")
    return [(m[1], m[2], text.count("\n", 0, m.start(2))) for m in BLOCK.finditer(text)]


def with_python(pages: list[Path]) -> list[Path]:
    return [p for p in pages if any(language == "python" for language, _, _ in blocks(p))]


@pytest.mark.parametrize("page", with_python(PAGES), ids=lambda p: p.name)
def test_blocks_run_and_print_what_the_page_says(page: Path, tmp_path: Path) -> None:
    source, names = tmp_path / f"{page.stem}.py", {"__name__": "__main__"}
    lines = [""] * len(page.read_text(encoding="utf-8").splitlines())
    found = blocks(page)
    for language, content, first in found:
        if language == "python":
            lines[first : first + content.count("\n")] = content.splitlines()
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for (language, content, first), following in zip(found, [*found[1:], ("", "", 0)], strict=True):
        if language != "python":
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile("\n" * first + content, str(source), "exec"), names)
        if following[0] == "text":
            assert printed.getvalue() == following[1], f"{page.name}, the block at line {first + 1}"


def test_the_pages_have_snippets() -> None:
    assert len(with_python(PAGES)) >= 5


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_in_docstrings(name: str) -> None:
    reset_context()
    result = doctest.testmod(import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted > 0
    assert result.failed == 0
