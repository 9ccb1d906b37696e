"""The tables that the project set out from, cell by cell. Their copies here are text extracts, which moved empty cells
to the end of a row and broke long rows in two."""

import re
from datetime import date
from pathlib import Path

from release.lifecycle import status
from release.model import Manifest
from release.tables import branch_table, cells
from release.wording import BRANCH_HEADERS

HERE = Path(__file__).parent
COPIED = date(2022, 11, 1)


def source_rows(name: str) -> list[list[str]]:
    text = (HERE / name).read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")] for line in text.splitlines()]
    return [[cell for cell in row if cell] for row in rows if any(row) and not row[0].startswith("--")]


def columns(row: list[str]) -> tuple[str, str, str, str, str]:
    """A branch's row with its empty cells back in place: what follows the first three is a phase or a bare date."""
    name, state, released, *rest = row
    coming = [cell for cell in rest if not re.fullmatch(r"\d{4}-\d\d-\d\d", cell)]
    ended = [cell for cell in rest if cell not in coming]
    return name, state, released, "".join(coming), "".join(ended)


def test_the_branch_table_agrees_in_every_cell(manifest: Manifest) -> None:
    header, *rows = source_rows("source_branches.txt")
    assert len(rows) == 16
    assert tuple(header) == BRANCH_HEADERS["zh"]
    assert [cells(state) for state in status(manifest, COPIED)] == [columns(row) for row in rows]


def test_the_rendered_branch_table_holds_the_same_cells(manifest: Manifest) -> None:
    lines = branch_table(status(manifest, COPIED), "zh").splitlines()
    rendered = [tuple(cell.strip() for cell in line.split("|")[1:-1]) for line in lines[2:]]
    assert rendered == [columns(row) for row in source_rows("source_branches.txt")[1:]]


def test_every_cell_of_the_hardware_table_is_accounted_for(manifest: Manifest) -> None:
    hardware, wanted = "", []
    for row in source_rows("source_hardware.txt")[1:]:
        hardware, system = (row[0], row[1]) if len(row) == 3 else (hardware, row[0])
        wanted.append(f"hardware: {hardware} / {system}")
    cells_ = [cell.cell for cell in manifest.source_cell]
    assert len(wanted) == 9
    assert [cell for cell in cells_ if cell.startswith("hardware")] == wanted


def test_every_cell_of_the_image_table_is_accounted_for(manifest: Manifest) -> None:
    wanted = {f"image: {hardware} / {tag}" for hardware in ("CPU", "GPU") for tag in ("x.y.z", "devel", "runtime")}
    assert {cell.cell for cell in manifest.source_cell if cell.cell.startswith("image")} == wanted


def test_a_cell_of_a_system_that_is_gone_says_what_took_its_place(manifest: Manifest) -> None:
    superseded = {cell.cell: cell for cell in manifest.source_cell if cell.state == "superseded"}
    gone = [cell.cell for cell in manifest.source_cell if re.search("CUDA 10.1|CentOS|EulerOS", cell.cell)]
    assert len(gone) == 4
    assert set(gone) | {"image: GPU / devel", "image: GPU / runtime"} == set(superseded)
    assert all(cell.why for cell in superseded.values())


def test_cells_map_to_rows_of_their_hardware_and_architecture(manifest: Manifest) -> None:
    arch = {"x86": "x86_64", "aarch64": "aarch64"}
    for cell in manifest.source_cell:
        table, _, rest = cell.cell.partition(": ")
        hardware, _, where = rest.lower().partition(" / ")
        images = [row.partition(":") for row in cell.rows if "/" in row]
        assert images or where == "windows-x86"
        for row, _, kind in images:
            assert row.split("/")[0] == hardware.split()[0]
            if table == "image":
                assert kind == {"x.y.z": "release"}.get(where, where)
            else:
                assert row.endswith("/" + arch[where.split("-")[1]])
