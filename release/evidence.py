"""What is known of each row: built and run, built, or only rendered. It follows from files that tests write, keyed by digest.

A file `NAME.json` says that the artefact of one row with one digest was built, and whether its tests ran and passed on it.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError

from release.errors import ReleaseError
from release.fields import Bool, Day, Record, Text
from release.model import Manifest

FOLDER = Path(__file__).with_name("evidence")
State = Literal["built-and-run", "built", "rendered"]
STATES: tuple[State, ...] = ("built-and-run", "built", "rendered")


class Evidence(Record):
    """One artefact that was looked at. `row` is a wheel's tag, or an image row's id with its kind after a colon."""

    schema_: Literal[1] = Field(alias="schema")
    row: Text
    version: Text
    digest: Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
    day: Day
    ran: Bool
    tests: tuple[Text, ...]
    emulated: Bool = False

    def text(self) -> str:
        """The file's content."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), indent=2) + "\n"

    @property
    def file(self) -> str:
        """The file's name: one for each row, so that newer evidence takes the place of older."""
        return self.row.replace("/", "_").replace(":", "_") + ".json"


def keys(manifest: Manifest) -> list[str]:
    """Every artefact of the matrix, as evidence names it: wheels, then images by kind."""
    images = [f"{row.id}:{kind}" for row in manifest.image_rows() for kind in row.kinds]
    return [*(row.tag for row in manifest.wheel_rows()), *images]


def read(folder: Path = FOLDER) -> list[Evidence]:
    """The evidence in a folder, by file name; ReleaseError names a file that is none. A missing folder holds none."""
    return [_read(path) for path in sorted(folder.glob("*.json"))]


def _read(path: Path) -> Evidence:
    fix = "  fix: write it anew with `image.test`, or remove it"
    try:
        found = Evidence.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ReleaseError(f"{path}: not readable\n  got: {error}\n{fix}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "(file)"
        raise ReleaseError(f"{path}: {where}\n  expected: {first['msg']}\n  got: {first['input']!r}\n{fix}") from None
    if path.name != found.file:
        raise ReleaseError(f"{path}: its row is {found.row}\n  expected: the name {found.file}\n{fix}")
    return found


def write(folder: Path, found: Iterable[Evidence]) -> list[Path]:
    """Write evidence into a folder; gives the files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for one in found:
        paths.append(folder / one.file)
        paths[-1].write_text(one.text(), encoding="utf-8", newline="\n")
    return paths


def states(
    manifest: Manifest, found: Iterable[Evidence], digests: Mapping[str, str] | None = None
) -> dict[str, tuple[State, Evidence | None]]:
    """Each artefact's state, with the evidence for it.

    Evidence counts when it is of the current version and, where `digests` (by artefact) are given, of just that digest:
    what was built anew since has to be tested anew.
    """
    known = {one.row: one for one in found if one.version == manifest.current.text}
    result: dict[str, tuple[State, Evidence | None]] = {}
    for key in keys(manifest):
        one = known.get(key)
        if one is None or (digests is not None and digests.get(key) != one.digest):
            result[key] = ("rendered", None)
        else:
            result[key] = ("built-and-run" if one.ran and one.tests else "built", one)
    return result
