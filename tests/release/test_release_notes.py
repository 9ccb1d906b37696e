"""Fragments become points of the notes; two builds are compared."""

from pathlib import Path

import pytest

from release.errors import ReleaseError, UsageError
from release.notes import FOLDER, PAGE, SECTIONS, Build, Fragment, differences, differences_text, fragments, merged

ROOT = Path(__file__).resolve().parents[2]
NOTES = """# Release notes

## 2.0.0

Words.

**Framework**

- one
- two,
  on two lines

**Distribution**

- three

## 1.9.0

**Framework**

- old
"""


def fragment(section: str, text: str) -> Fragment:
    return Fragment(Path("x"), section, text)


def test_points_go_to_the_ends_of_their_sections() -> None:
    new = merged(NOTES, "2.0.0", [fragment("framework", "new\nand long"), fragment("distribution", "last")])
    assert new == NOTES.replace("  on two lines\n", "  on two lines\n- new\n  and long\n").replace(
        "- three\n", "- three\n- last\n"
    )
    assert merged(NOTES, "2.0.0", []) == NOTES


def test_a_new_section_and_a_new_version_are_made() -> None:
    new = merged(NOTES, "2.0.0", [fragment("differences", "other")])
    assert new == NOTES.replace("- three\n", f"- three\n\n{SECTIONS['differences']}\n\n- other\n")
    newer = merged(NOTES, "2.1.0", [fragment("framework", "a"), fragment("framework", "b")])
    assert newer == NOTES.replace("## 2.0.0\n", "## 2.1.0\n\n**Framework**\n\n- a\n- b\n\n## 2.0.0\n")


def test_the_committed_fragments_can_be_merged() -> None:
    found = fragments(ROOT)
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    new = merged(page, "2.0.0.dev0", found)
    assert len(new.splitlines()) == len(page.splitlines()) + sum(len(one.text.splitlines()) for one in found)
    for one in found:
        assert one.point in new


@pytest.mark.parametrize(
    ("name", "text", "error", "words"),
    [
        ("Faster.framework.md", "x", ReleaseError, "not a fragment's name"),
        ("faster.md", "x", ReleaseError, "faster-sums.framework.md"),
        ("faster.framwork.md", "x", UsageError, "did you mean: framework"),
        ("faster.framework.md", "", ReleaseError, "not a point of the notes"),
        ("faster.framework.md", "- x", ReleaseError, "without a dash"),
    ],
)
def test_what_is_no_fragment_is_refused(
    tmp_path: Path, name: str, text: str, error: type[Exception], words: str
) -> None:
    (tmp_path / FOLDER).mkdir(parents=True)
    (tmp_path / FOLDER / name).write_text(text, encoding="utf-8")
    with pytest.raises(error) as caught:
        fragments(tmp_path)
    assert words in str(caught.value)


OLD = Build("2.0.0rc1", 1_000_000, ("numpy>=2.0", "old"), {"ms.f": "(x)", "ms.g": "()", "ms.h": ""})
NEW = Build("2.0.0", 1_100_000, ("numpy>=2.0", "new"), {"ms.f": "(x, y)", "ms.h": "", "ms.k": "()"})


def test_two_builds_as_data() -> None:
    assert differences(OLD, NEW) == {
        "from": "2.0.0rc1",
        "to": "2.0.0",
        "size": {"old": 1_000_000, "new": 1_100_000, "percent": 10.0},
        "requires": {"added": ["new"], "removed": ["old"]},
        "api": {"added": ["ms.k"], "removed": ["ms.g"], "changed": {"ms.f": ["(x)", "(x, y)"]}},
    }


def test_two_builds_in_words() -> None:
    text = differences_text(OLD, NEW)
    assert text.startswith("## From 2.0.0rc1 to 2.0.0\n\nThe wheel has 1.10 MB, +10.0 %.\n")
    assert text.index("are gone") < text.index("called differently") < text.index("New names")
    assert "- `ms.f(x)` is now `ms.f(x, y)`" in text
    assert "**" not in differences_text(OLD, OLD)
