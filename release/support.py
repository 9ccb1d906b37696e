"""The tables of what is supported: rows with their states, exclusions, and what became of the source's cells."""

from collections.abc import Sequence
from typing import Any

from release.evidence import STATES, Evidence, State, states
from release.model import Manifest
from release.rows import ImageRow
from release.tables import markdown
from release.wording import (
    CELL_HEADERS,
    CELL_STATES,
    EMULATED,
    EXCLUDED_HEADERS,
    HARDWARE_HEADERS,
    IMAGE_HEADERS,
    STATE_NAMES,
    WHEEL_HEADERS,
    Language,
)


def hardware_table(manifest: Manifest, language: Language = "en") -> str:
    """Hardware, systems and architectures, without states: what a README shows."""
    rows: dict[tuple[str, str], list[ImageRow]] = {}
    for row in manifest.image_rows():
        rows.setdefault((row.hardware, row.os), []).append(row)
    cells = [_hardware_cells(manifest, found) for found in rows.values()]
    windows = [platform for platform in manifest.wheel.platform if platform.system == "windows"]
    cells += [("CPU", "Windows", one.arch, ", ".join(_pythons(manifest, one.name)), "wheel") for one in windows]
    return markdown(HARDWARE_HEADERS[language], cells)


def _pythons(manifest: Manifest, platform: str) -> list[str]:
    return [row.python for row in manifest.wheel_rows() if row.platform.name == platform]


def _hardware_cells(manifest: Manifest, rows: Sequence[ImageRow]) -> tuple[str, ...]:
    first = rows[0]
    table = manifest.hardware[first.hardware]
    stacks = [f"{table.stack[name].title}" for name in table.stack if name in {row.stack for row in rows}]
    title = f"{table.title} ({', '.join(stacks)})" if stacks else table.title
    arches = ", ".join(dict.fromkeys(row.arch for row in rows))
    return (
        title,
        manifest.os[first.os].title,
        arches,
        first.python,
        "wheel, image" if first.hardware == "cpu" else "image",
    )


def image_table(manifest: Manifest, found: Sequence[Evidence], language: Language = "en") -> str:
    """Every image row and the state of each kind, with the digest that the release image was tested with."""
    known = states(manifest, found)
    rows = []
    for row in manifest.image_rows():
        kinds = [known[f"{row.id}:{kind}"] for kind in row.kinds]
        rows.append(
            (f"`{row.id}`", *(STATE_NAMES[language][state] for state, _ in kinds), _digest(kinds[-1][1], language))
        )
    return markdown(IMAGE_HEADERS[language], rows)


def wheel_table(manifest: Manifest, found: Sequence[Evidence], language: Language = "en") -> str:
    """Every wheel row and its state."""
    known = states(manifest, found)
    rows = [
        (
            f"`{row.tag}`",
            row.python,
            row.platform.name,
            STATE_NAMES[language][known[row.tag][0]],
            _digest(known[row.tag][1], language),
        )
        for row in manifest.wheel_rows()
    ]
    return markdown(WHEEL_HEADERS[language], rows)


def _digest(one: Evidence | None, language: Language) -> str:
    """What was tested, on which day, and whether another machine stood in for the row's own."""
    return f"`{one.digest[:19]}`, {one.day}{EMULATED[language] if one.emulated else ''}" if one else ""


def excluded_table(manifest: Manifest, language: Language = "en") -> str:
    """The combinations that the matrix leaves out, and those that it will drop, with the reasons."""
    rows = [
        (" / ".join(filter(None, (item.hardware, item.os, item.stack, item.arch))), item.reason)
        for item in manifest.image.exclude
    ]
    rows += [(f"wheel / {item.python} / {item.platform}", item.reason) for item in manifest.wheel.exclude]
    for name, system in manifest.os.items():
        if system.drop:
            rows.append((f"{name} ({system.drop.on})", system.drop.reason))
    for version, python in manifest.python.items():
        if python.drop:
            rows.append((f"Python {version} ({python.drop.on})", python.drop.reason))
    return markdown(EXCLUDED_HEADERS[language], rows)


def cell_table(manifest: Manifest, found: Sequence[Evidence], language: Language = "en") -> str:
    """What became of each cell of the source's tables, and the best state of its rows."""
    known = states(manifest, found)
    rows = []
    for cell in manifest.source_cell:
        own = [state for key, (state, _) in known.items() if any(_is_of(key, name) for name in cell.rows)]
        best: State = min(own, key=STATES.index, default="rendered")
        names = ", ".join(f"`{name}`" for name in cell.rows)
        rows.append((cell.cell, CELL_STATES[language][cell.state], names, STATE_NAMES[language][best], cell.why or ""))
    return markdown(CELL_HEADERS[language], rows)


def _is_of(key: str, name: str) -> bool:
    """Whether the artefact `key` belongs to `name`: an image row, one of its kinds, or a wheel platform."""
    if "/" in name:
        return key == name if ":" in name else key == f"{name}:release"
    return key.endswith(f"-{name}")


def document(manifest: Manifest, found: Sequence[Evidence]) -> dict[str, Any]:
    """Each artefact's state as plain data, with what proves it."""
    return {
        key: {"state": state, "digest": one.digest if one else None, "day": str(one.day) if one else None}
        for key, (state, one) in states(manifest, found).items()
    }
