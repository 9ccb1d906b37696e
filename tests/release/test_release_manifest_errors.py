"""Every way to break the manifest gives one message with file, line, field, expected, got and what to do."""

import tomllib
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from release.errors import ManifestError
from release.model import DEFAULT, Manifest, load_manifest

CASES = tomllib.loads(Path(__file__).with_name("broken_manifests.toml").read_text(encoding="utf-8"))["case"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_broken_manifest_is_refused_at_its_place(case: dict[str, Any], edited: Callable[..., Path]) -> None:
    path = edited((case["old"], case["new"]))
    lines = path.read_text(encoding="utf-8").splitlines()
    line = max(number for number, text in enumerate(lines, start=1) if case["mark"] in text)
    with pytest.raises(ManifestError) as caught:
        load_manifest(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:{line}: {case['field']}\n")
    assert [part.split(":")[0].strip() for part in message.splitlines()[1:]] == ["expected", "got", "fix"]
    for word in case["words"]:
        assert word in message
    assert caught.value.exit_code == 2


def test_the_message_is_all_that_a_person_sees(refusal: Callable[..., ManifestError]) -> None:
    error = refusal(("schema = 1", "schema = 2"))
    shown = "".join(traceback.format_exception(error))
    assert "pydantic_core" not in shown
    assert "validation error" not in shown
    assert error.__suppress_context__


def test_the_first_of_several_errors_counts_the_rest(refusal: Callable[..., ManifestError]) -> None:
    error = refusal(("schema = 1", "schema = 2"), ("docs_as_of", "docs_on"))
    assert "more after this one)" in str(error)


def test_a_missing_file_and_a_wrong_encoding_are_named(tmp_path: Path) -> None:
    path = tmp_path / "manifest.toml"
    with pytest.raises(ManifestError, match="No such file"):
        load_manifest(path)
    path.write_bytes(b"schema = '\xff'")
    with pytest.raises(ManifestError, match="UTF-8"):
        load_manifest(path)


@pytest.mark.parametrize("replacement", ["", "[]", '"word"', "-1", "{ }", "x = y"])
def test_no_single_line_can_make_the_reader_fail_otherwise(replacement: str, tmp_path: Path) -> None:
    lines = DEFAULT.read_text(encoding="utf-8").splitlines()
    path = tmp_path / "manifest.toml"
    refused = []
    for index, line in enumerate(lines):
        key = line.split("=")[0] + "= " if replacement and " = " in line else ""
        path.write_text("\n".join([*lines[:index], key + replacement, *lines[index + 1 :]]), encoding="utf-8")
        try:
            load_manifest(path)
        except ManifestError as error:
            refused.append(error.line)
    assert len(refused) > 100
    assert all(1 <= line <= len(lines) for line in refused)


def test_the_manifest_is_immutable(manifest: Manifest) -> None:
    with pytest.raises(ValueError, match="frozen"):
        manifest.project.branch = "r9.9"


def test_the_current_version_stands_once_at_the_start_of_a_line() -> None:
    text = DEFAULT.read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.startswith("current")] == ['current = "2.0.0.dev0"']
    assert text.count("2.0.0.dev0") == 1
