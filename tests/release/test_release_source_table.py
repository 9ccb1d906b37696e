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


def test_only_cpu_cells_claim_rows(manifest: Manifest) -> None:
    covered = {cell.cell for cell in manifest.source_cell if cell.state == "covered"}
    assert covered == {cell.cell for cell in manifest.source_cell if ": CPU" in cell.cell}
    assert all(cell.why for cell in manifest.source_cell if cell.state != "covered")
