"""Generated files and tables agree with the manifest and never with the clock."""

import json
import re
import shutil
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path

from release.days import today
from release.generate import (
    BRANCHES,
    CALENDAR,
    ENDOFLIFE,
    LIFECYCLE,
    MATRIX,
    PAGES,
    SCHEMA,
    TIMELINE,
    drift,
    outputs,
    schema_text,
    write,
)
from release.lifecycle import status
from release.model import Manifest, load_manifest
from release.reading import known_keys
from release.tables import branch_status, branch_table, cells, document
from release.wording import BRANCH_HEADERS


def test_the_committed_files_are_up_to_date(manifest: Manifest) -> None:
    assert drift(outputs(manifest)) == []


def test_drift_names_what_differs_and_write_mends_it(manifest: Manifest, tmp_path: Path) -> None:
    files = outputs(manifest)
    everything = [SCHEMA, LIFECYCLE, ENDOFLIFE, BRANCHES, TIMELINE, CALENDAR, MATRIX, *PAGES]
    assert drift(files, tmp_path) == everything
    assert write(files, tmp_path) == everything
    assert drift(files, tmp_path) == []
    (tmp_path / BRANCHES).write_text("edited", encoding="utf-8")
    assert write(files, tmp_path) == [BRANCHES]
    shutil.rmtree(tmp_path / "docs")
    assert drift(files, tmp_path) == [BRANCHES, TIMELINE, CALENDAR, MATRIX]


def test_a_changed_manifest_changes_the_files(edited: Callable[..., Path]) -> None:
    changed = load_manifest(edited(("docs_as_of = 2026-11-22", "docs_as_of = 2027-02-23")))
    assert drift(outputs(changed)) == [LIFECYCLE, BRANCHES, TIMELINE, CALENDAR, *PAGES]


def test_generated_files_say_so(manifest: Manifest) -> None:
    for path, text in outputs(manifest).items():
        if path in PAGES:
            assert text.count("generated, do not edit -->") == text.count("<!-- end of table -->") > 0
        elif path != ENDOFLIFE:  # whose shape is a bare list
            assert "do not edit" in text[:200]


def test_the_schema_refuses_what_the_model_refuses() -> None:
    schema = json.loads(schema_text())
    assert schema["additionalProperties"] is False
    assert schema["properties"]["schema"]["const"] == 1
    assert "schema" in schema["required"]
    assert all(part["additionalProperties"] is False for part in schema["$defs"].values() if "properties" in part)
    assert known_keys(schema, ("branch", 3, "overdue_ack")) == ["reason", "until"]
    assert known_keys(schema, ("python", "3.11", "drop")) == ["on", "reason"]


def test_the_schema_knows_every_key_that_the_manifest_uses() -> None:
    schema = json.loads(schema_text())
    root = Path(__file__).resolve().parents[2]
    data = tomllib.loads((root / "release/manifest.toml").read_text(encoding="utf-8"))
    assert set(data) <= set(known_keys(schema, ()))
    assert set(data["image"]) <= set(known_keys(schema, ("image",)))


def test_the_docs_table_is_the_models(manifest: Manifest) -> None:
    root = Path(__file__).resolve().parents[2]
    lines = (root / BRANCHES).read_text(encoding="utf-8").splitlines()
    states = status(manifest, manifest.project.docs_as_of)
    for header in BRANCH_HEADERS.values():
        start = lines.index(f"| {' | '.join(header)} |") + 2
        rows = [tuple(cell.strip() for cell in line.split("|")[1:-1]) for line in lines[start : start + len(states)]]
        assert rows == [cells(state) for state in states]
        assert lines[start + len(states) :][:1] in ([""], [])


def test_the_terminal_table_holds_every_cell_unbroken(manifest: Manifest) -> None:
    day = manifest.project.docs_as_of
    lines = branch_status(day, manifest=manifest).splitlines()
    for state, line in zip(status(manifest, day), lines[2:], strict=True):
        assert re.split(" {2,}", line.strip()) == [cell for cell in cells(state) if cell]
    assert not any(line.endswith(" ") for line in lines)


def test_the_json_is_the_document(manifest: Manifest) -> None:
    day = date(2022, 11, 1)
    data = json.loads(branch_status(day, as_json=True, manifest=manifest))
    assert data == document(manifest, day)
    assert list(data) == ["schema", "as_of", "project_branch", "policy_months", "branches"]
    assert len(data["branches"]) == 16
    assert data["branches"][0] | {"transitions": None} == {
        "name": "r1.9",
        "phase": "Maintained",
        "label": "Maintained",
        "since": "2022-10-26",
        "released": "2022-10-26",
        "next_phase": "Unmaintained",
        "next_date": "2023-10-26",
        "eol": None,
        "eol_estimated": None,
        "overdue_since": None,
        "transitions": None,
    }


def test_the_committed_lifecycle_holds_what_another_date_needs(manifest: Manifest) -> None:
    data = json.loads(outputs(manifest)[LIFECYCLE])
    steps = {branch["name"]: branch["transitions"] for branch in data["branches"]}
    assert steps["r1.9"][1] == {"to": "Unmaintained", "actual": None, "estimated": "2023-10-26"}
    assert data["as_of"] == "2026-11-22"


def test_without_a_date_today_is_meant(manifest: Manifest) -> None:
    assert json.loads(branch_status(as_json=True))["as_of"] == today().isoformat()


def test_the_languages_differ_in_words_only(manifest: Manifest) -> None:
    states = status(manifest, manifest.project.docs_as_of)
    english, chinese = branch_table(states, "en").splitlines(), branch_table(states, "zh").splitlines()
    assert english[1:] == chinese[1:]
    assert english[0] != chinese[0]
