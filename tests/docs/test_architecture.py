"""ARCHITECTURE.md shows what the compiler really makes."""

from __future__ import annotations

import re

import pytest

from tests.docs.stage_examples import BLOCK, PAGE, stages, written

pytestmark = pytest.mark.compiler


def test_the_examples_are_what_the_stages_make() -> None:
    page, texts = PAGE.read_text("utf-8"), stages()
    shown = {m[2]: m[3] for m in BLOCK.finditer(page) if m[2] != "program"}
    assert set(shown) == set(texts)
    for name, text in texts.items():
        assert shown[name] == text, (
            f"{name} has changed: run python -m tests.docs.stage_examples and read what it says now"
        )
    assert written(page, texts) == page


def test_each_example_follows_its_paragraph() -> None:
    page = PAGE.read_text("utf-8")
    for name in ("frontend", "infer", "autodiff", "passes", "kernels"):
        before = page[: page.index(f"```text stage={name}")]
        paragraph = before.rstrip().rsplit("\n\n", 1)[-1]
        assert re.match(rf"\*\*`{name}/`\*\*", paragraph), name
        assert len(paragraph) > 200
