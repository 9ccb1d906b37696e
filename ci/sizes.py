"""How big each image was when someone last looked and agreed: a build that grows by more than a twentieth is refused."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

from ci import report
from ci.archive import Layer
from ci.errors import CheckError, ProjectFileError
from ci.files import write_text

PATH = Path("docker/sizes.toml")
GROWTH_PERCENT = 5
HEAD = (
    "# Bytes of uncompressed layer tars, by image; written by `image.measure`, which says that a new size is meant.\n"
)


def read(root: Path) -> dict[str, int]:
    """The measured sizes by the images' names (`cpu/debian12/py311/x86_64:release`)."""
    path = root / PATH
    try:
        found: dict[str, int] = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except tomllib.TOMLDecodeError as error:
        raise ProjectFileError("the measured sizes cannot be read", where=str(PATH), got=str(error)) from error
    return found


def write(root: Path, measured: dict[str, int]) -> None:
    """Note sizes; those of images that were not measured stay."""
    lines = (f'"{name}" = {size:_}\n' for name, size in sorted((read(root) | measured).items()))
    write_text(root / PATH, HEAD + "".join(lines))


def limit(measured: int) -> int:
    return measured + measured * GROWTH_PERCENT // 100


def check(root: Path, name: str, layers: Sequence[Layer]) -> None:
    """Raise CheckError with the table of layers when the image grew too much since it was measured."""
    measured, total = read(root).get(name), sum(layer.size for layer in layers)
    if measured is None or total <= limit(measured):
        return
    raise CheckError(
        f"{name} grew by {100 * (total - measured) / measured:.1f} %\n{table(layers)}",
        where=str(PATH),
        expected=f"at most {limit(measured)} bytes of layer tars ({GROWTH_PERCENT} % more than {measured})",
        got=f"{total} bytes",
        fix="trim the layer that grew, or accept the new size: `python3 tasks.py image.measure`",
    )


def table(layers: Sequence[Layer]) -> str:
    rows = [(f"{layer.size / 1e6:.1f} MB", layer.digest[7:19], layer.command[:90]) for layer in layers]
    return report.table(("size", "digest", "made by"), rows)
