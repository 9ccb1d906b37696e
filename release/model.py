"""The manifest as a checked, immutable value. `load_manifest` is the way in."""

import difflib
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Literal, Self

from packaging.version import InvalidVersion
from packaging.version import Version as Pep440
from pydantic import Field, model_validator

from release.branches import Branch, Policy
from release.fields import BranchName, Day, Location, PythonVersion, Record, Text, broken, minor
from release.reading import checked, read_model
from release.rows import (
    Drop,
    Hardware,
    HardwareRow,
    ImageMatrix,
    ImageRow,
    OsRow,
    PythonRow,
    SourceCell,
    WheelMatrix,
    WheelRow,
)

LISTED = 12  # names that a message lists; of more it shows the closest
DEFAULT = Path(__file__).with_name("manifest.toml")


class Project(Record):
    """This checkout's branch, and the date that committed tables are made for."""

    branch: BranchName
    docs_as_of: Day


class Version(Record):
    """A version of a branch: `current` for the one that this checkout builds, `number` for one already published."""

    branch: BranchName
    current: Text | None = None
    number: Text | None = None
    published: Day | None = None

    @model_validator(mode="after")
    def _valid(self) -> Self:
        key = "current" if self.current else "number"
        if bool(self.current) == bool(self.number) or bool(self.published) != bool(self.number):
            raise broken(("branch",), "`current`, or `number` with `published`", "other keys", "keep one of the two")
        self._check_number(key)
        return self

    def _check_number(self, key: str) -> None:
        try:
            parsed = Pep440(self.text)
        except InvalidVersion:
            raise broken((key,), "a version such as 2.0.0.dev0 or 2.0.0rc1", self.text, "see PEP 440") from None
        if str(parsed) != self.text or parsed.local or parsed.epoch:
            public = parsed.base_version if parsed.epoch else parsed.public
            raise broken((key,), "a normalised public version", self.text, f"write {public}")
        if minor(self.text) != minor(self.branch):
            raise broken((key,), f"a version of branch {self.branch}", self.text, "correct the version or its branch")

    @property
    def text(self) -> str:
        """The version, spelt as PEP 440 normalises it."""
        return self.current or self.number or ""


class Manifest(Record):
    """Everything that release/manifest.toml says. An instance has passed every rule."""

    schema_: Literal[1] = Field(alias="schema")
    project: Project
    version: tuple[Version, ...]
    policy: Policy
    branch: tuple[Branch, ...] = Field(min_length=1)
    os: dict[str, OsRow]
    hardware: dict[Hardware, HardwareRow] = Field(min_length=1)
    image: ImageMatrix
    python: dict[PythonVersion, PythonRow]
    wheel: WheelMatrix
    source_cell: tuple[SourceCell, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _unique("branch", "name", (branch.name for branch in self.branch))
        _unique("version", "number", (version.text for version in self.version))
        _unique("source_cell", "cell", (cell.cell for cell in self.source_cell))
        self._check_current()
        self._check_images()
        self._check_wheels()
        self._check_cells()
        return self

    def _check_current(self) -> None:
        names = [branch.name for branch in self.branch]
        marked = [index for index, version in enumerate(self.version) if version.current]
        if not marked:
            fix = 'add current = "X.Y.Z" to one [[version]]'
            raise broken(("version",), "one [[version]] with `current`", "none", fix)
        if len(marked) > 1:
            got = " and ".join(self.version[index].text for index in marked)
            raise broken(("version", marked[1], "current"), "one current version", got, "keep one `current`")
        for index, version in enumerate(self.version):
            _known(("version", index, "branch"), version.branch, names, "declare it as a [[branch]]")
        _known(("project", "branch"), self.project.branch, [self.current.branch], "name the current version's branch")
        for index, branch in enumerate(self.branch):
            for place, exception in enumerate(branch.exceptions):
                if exception.granted > self.project.docs_as_of:
                    at, limit = ("branch", index, "exceptions", place, "granted"), self.project.docs_as_of
                    raise broken(at, f"a day up to docs_as_of ({limit})", exception.granted, "move docs_as_of forward")

    def _check_images(self) -> None:
        for index, name in enumerate(self.image.os):
            _known(("image", "os", index), name, list(self.os), f'declare it as [os."{name}"]')
        for name, system in self.os.items():
            _known(("os", name, "python"), system.python, list(self.python), "add a [python] row for it")
        for index, item in enumerate(self.image.exclude):
            if not any(item.covers(row) for row in self._image_combinations()):
                got = ", ".join(f"{key} {value}" for key, value in item.model_dump(exclude={"reason"}).items() if value)
                raise broken(("image", "exclude", index), "a combination of the matrix", got, "remove the exclusion")
        rows = self.image_rows()
        for name, hardware in self.hardware.items():
            ids = [row.id for row in rows if row.hardware == name]
            _known(("hardware", name, "default"), hardware.default, ids, "use an existing row of this hardware")

    def _check_wheels(self) -> None:
        _unique("wheel.platform", "name", (platform.name for platform in self.wheel.platform))
        platforms = [platform.name for platform in self.wheel.platform]
        for index, item in enumerate(self.wheel.exclude):
            _known(("wheel", "exclude", index, "python"), item.python, list(self.python), "remove the exclusion")
            _known(("wheel", "exclude", index, "platform"), item.platform, platforms, "remove the exclusion")

    def _check_cells(self) -> None:
        rows = self._declared_rows()
        images = [row.id for row in rows] + [f"{row.id}:{kind}" for row in rows for kind in row.kinds]
        names = [*images, *(platform.name for platform in self.wheel.platform)]
        for index, cell in enumerate(self.source_cell):
            for place, name in enumerate(cell.rows):
                _known(("source_cell", index, "rows", place), name, names, "name an existing row or wheel platform")

    @property
    def current(self) -> Version:
        """The version that this checkout builds."""
        return next(version for version in self.version if version.current)

    def by_name(self, name: str) -> Branch:
        """The branch called `name`, which must exist."""
        return next(branch for branch in self.branch if branch.name == name)

    def _image_combinations(self) -> Iterator[ImageRow]:
        """Every combination, also the excluded and the dropped."""
        for (hardware, table), name in product(self.hardware.items(), self.image.os):
            system = self.os[name]
            for stack, arch in product(table.stack or [None], system.arch):
                yield ImageRow(
                    hardware=hardware, os=name, python=system.python, arch=arch, kinds=self.image.kinds, stack=stack
                )

    def image_rows(self) -> list[ImageRow]:
        """Every image row, in the manifest's order, without those that were dropped by `docs_as_of`."""
        return [
            row
            for row in self._declared_rows()
            if not self._dropped(self.os[row.os].drop)
            and not (row.stack and self._dropped(self.hardware[row.hardware].stack[row.stack].drop))
        ]

    def _declared_rows(self) -> list[ImageRow]:
        return [row for row in self._image_combinations() if not any(item.covers(row) for item in self.image.exclude)]

    def _dropped(self, drop: Drop | None) -> bool:
        return drop is not None and drop.on <= self.project.docs_as_of

    def wheel_rows(self) -> list[WheelRow]:
        """Every wheel row, by platform, then Python, without those that were dropped by `docs_as_of`."""
        absent = {(item.python, item.platform) for item in self.wheel.exclude}
        return [
            WheelRow(hardware="cpu", python=version, platform=platform, tested=row.tested)
            for platform, (version, row) in product(self.wheel.platform, self.python.items())
            if (version, platform.name) not in absent and not self._dropped(row.drop)
        ]


def load_manifest(path: Path = DEFAULT) -> Manifest:
    """Read and check the manifest at `path`; ManifestError (exit code 2) says what is wrong and where."""
    return read_model(Manifest, path)


def parse_manifest(text: str, path: Path = DEFAULT) -> Manifest:
    """Check the manifest's text; ManifestError calls it by the name `path`."""
    return checked(Manifest, text, path)


def _unique(table: str, key: str, values: Iterable[str]) -> None:
    seen: set[str] = set()
    for index, value in enumerate(values):
        if value in seen:
            at: Location = (*table.split("."), index, key)
            raise broken(at, f"each [[{table}]] {key} once", f"{value} again", "remove or rename the second")
        seen.add(value)


def _known(at: Location, value: str, choices: Iterable[str], fix: str) -> None:
    names = list(choices)
    if value not in names:
        close = difflib.get_close_matches(value, names, n=3, cutoff=0)
        shown = ", ".join(names) if len(names) <= LISTED else f"{len(names)} names such as {', '.join(close)}"
        raise broken(at, f"one of {shown}", value, fix)
