"""States follow from evidence by digest, and the tables from the states."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from release import support
from release.errors import ReleaseError, UsageError
from release.evidence import FOLDER, Evidence, keys, read, states, write
from release.generate import MATRIX, filled, matrix_text, outputs
from release.model import Manifest
from release.wording import HARDWARE_HEADERS

ROW = "cpu/debian12/py311/x86_64:release"
WHEEL = "cp311-cp311-manylinux_2_28_x86_64"
ONE, OTHER = (f"sha256:{letter * 64}" for letter in "ab")


def evidence(**changes: Any) -> Evidence:
    facts = {"schema": 1, "row": ROW, "version": "2.0.0.dev0", "digest": ONE, "day": date(2026, 11, 22), "ran": True}
    return Evidence(**{**facts, "tests": ("tests/images",), **changes})


def state(manifest: Manifest, *found: Evidence, row: str = ROW, digests: dict[str, str] | None = None) -> str:
    return states(manifest, found, digests)[row][0]


def test_the_three_states(manifest: Manifest) -> None:
    assert state(manifest) == "rendered"
    assert state(manifest, evidence()) == "built-and-run"
    assert state(manifest, evidence(ran=False)) == "built"
    assert state(manifest, evidence(tests=())) == "built"
    assert state(manifest, evidence(row=WHEEL), row=WHEEL) == "built-and-run"
    assert state(manifest, evidence(row=WHEEL)) == "rendered"


def test_evidence_of_another_version_or_digest_is_none(manifest: Manifest) -> None:
    assert state(manifest, evidence(version="2.0.0rc1")) == "rendered"
    assert state(manifest, evidence(), digests={ROW: ONE}) == "built-and-run"
    assert state(manifest, evidence(), digests={ROW: OTHER}) == "rendered"
    assert state(manifest, evidence(), digests={}) == "rendered"


def test_every_artefact_of_the_matrix_has_a_state(manifest: Manifest) -> None:
    known = states(manifest, [])
    assert list(known) == keys(manifest)
    assert len(known) == len(manifest.wheel_rows()) + 3 * len(manifest.image_rows())
    assert len(set(known)) == len(known)


def test_evidence_is_written_and_read_again(tmp_path: Path) -> None:
    found = [evidence(), evidence(row=WHEEL, emulated=True)]
    paths = write(tmp_path / "new", found)
    assert [path.name for path in paths] == ["cpu_debian12_py311_x86_64_release.json", f"{WHEEL}.json"]
    assert sorted(read(tmp_path / "new"), key=lambda one: one.row) == sorted(found, key=lambda one: one.row)
    write(tmp_path / "new", [evidence(digest=OTHER)])
    assert {one.digest for one in read(tmp_path / "new")} == {ONE, OTHER}
    assert read(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("sha256:", "md5:", ["digest", "pattern"]),
        ('"ran"', '"rann"', ["ran"]),
        ("{", "[", ["(file)", "JSON"]),
        (ROW, WHEEL, ["its row is", f"the name {WHEEL}.json"]),
        ("2026-11-22", "yesterday", ["day", "yesterday"]),
    ],
)
def test_a_file_that_is_no_evidence_is_named(tmp_path: Path, old: str, new: str, words: list[str]) -> None:
    (path,) = write(tmp_path, [evidence()])
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ReleaseError) as caught:
        read(tmp_path)
    assert caught.value.exit_code == 1
    for word in [str(path), *words]:
        assert word in str(caught.value)


def test_the_committed_evidence_is_of_rows_and_shown(manifest: Manifest) -> None:
    found = read(FOLDER)
    assert {one.row for one in found} <= set(keys(manifest))
    text = outputs(manifest)[MATRIX]
    for one in found:
        if one.version == manifest.current.text:
            assert states(manifest, found)[one.row][0] != "rendered"
            assert one.digest[:19] in text or one.row.endswith((":devel", ":runtime"))  # a line shows the release's


def test_a_row_that_ran_on_another_machine_says_so(manifest: Manifest) -> None:
    for one in (evidence(emulated=True), evidence(row=WHEEL, emulated=True)):
        english, chinese = (line for line in matrix_text(manifest, [one]).splitlines() if one.digest[:19] in line)
        assert ", emulated by QEMU" in english
        assert "由 QEMU 模拟" in chinese


def test_no_ascend_row_claims_more_than_its_evidence(manifest: Manifest) -> None:
    claimed = {key for key, (known, _) in states(manifest, read(FOLDER)).items() if known != "rendered"}
    assert claimed <= {one.row for one in read(FOLDER)}
    assert not any(key.startswith("ascend/") for key in claimed)


def test_the_tables_show_state_and_digest(manifest: Manifest) -> None:
    text = matrix_text(manifest, [evidence(), evidence(row=WHEEL)])
    (line,) = [line for line in text.splitlines() if line.startswith("| `cpu/debian12/py311/x86_64` | rendered")]
    assert "| built and run | `sha256:aaaaaaaaaaaa`, 2026-11-22 |" in line
    assert f"| `{WHEEL}` | 3.11 | manylinux_2_28_x86_64 | built and run |" in text
    assert "| 已构建并运行 |" in text
    cell = next(line for line in text.splitlines() if line.startswith("| image: CPU / x.y.z |"))
    assert cell == "| image: CPU / x.y.z | covered | `cpu/debian12/py311/x86_64:release` | built and run |  |"
    cell = next(line for line in text.splitlines() if line.startswith("| hardware: CPU / Ubuntu-x86 |"))
    assert "built and run" in cell


def test_every_exclusion_and_every_cell_is_in_the_tables(manifest: Manifest) -> None:
    text = matrix_text(manifest, [])
    reasons = [item.reason for item in manifest.image.exclude] + [item.reason for item in manifest.wheel.exclude]
    for reason in reasons:
        assert text.count(reason) >= 2
    assert [cell.cell for cell in manifest.source_cell if text.count(f"| {cell.cell} |") != 2] == []
    assert "built and run |" not in text


def test_states_as_data(manifest: Manifest) -> None:
    data = json.loads(json.dumps(support.document(manifest, [evidence()])))
    assert data[ROW] == {"state": "built-and-run", "digest": ONE, "day": "2026-11-22"}
    assert data[WHEEL] == {"state": "rendered", "digest": None, "day": None}


def test_marked_tables_of_a_page_are_made_anew_and_the_rest_is_kept(manifest: Manifest) -> None:
    page = "# Title\n<!-- table: hardware; generated, do not edit -->\nold\n<!-- end of table -->\nlast\n"
    new = filled(page, manifest, "zh")
    assert new.startswith("# Title\n<!-- table: hardware")
    assert new.endswith("<!-- end of table -->\nlast\n")
    assert "old" not in new
    assert f"| {' | '.join(HARDWARE_HEADERS['zh'])} |" in new
    assert filled(new, manifest, "zh") == new
    with pytest.raises(UsageError, match="unknown table 'hardwares'"):
        filled(page.replace("hardware", "hardwares"), manifest, "en")


def test_the_hardware_table_names_every_system(manifest: Manifest) -> None:
    text = support.hardware_table(manifest)
    for hardware, os in {(row.hardware, row.os) for row in manifest.image_rows()}:
        title = re.escape(manifest.os[os].title)
        assert re.search(rf"\| {manifest.hardware[hardware].title}[^|]* \| {title} \|", text)
    assert "| CPU | Windows | x86_64 | 3.11, 3.12, 3.13 | wheel |" in text
    assert "| GPU (CUDA 13) | Debian 13 | x86_64 | 3.13 | image |" in text
