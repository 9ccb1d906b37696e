"""The matrix's models (systems, Pythons, images, wheels, source cells) and the rows that they span."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from release.fields import Bool, Bytes, Day, PythonVersion, Reason, Record, Text, broken, python_tag

Arch = Literal["x86_64", "aarch64"]
Hardware = Literal["cpu", "gpu", "ascend"]
Kind = Literal["devel", "runtime", "release"]
PlatformName = Annotated[str, StringConstraints(pattern=r"^(manylinux_\d+_\d+_(x86_64|aarch64)|win_amd64)$")]
OCI_ARCH: dict[str, str] = {"x86_64": "amd64", "aarch64": "arm64"}


class Ends(Record):
    """The last day of a system's support, or why it is not known."""

    date: Day | None = None
    kind: Literal["standard", "LTS"] | None = None
    unknown: Reason | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.date is None) == (self.unknown is None) or (self.date is None) != (self.kind is None):
            raise broken((), "`date` with `kind`, or `unknown` alone", self.model_dump(exclude_none=True), "keep one")
        return self


class Drop(Record):
    """A row that ends before its branch: the day on which it leaves the matrix, and why it is there at all."""

    on: Day
    reason: Reason


class OsRow(Record):
    """A system that images are built on. `lock` is the package lock, relative to docker/; absent until one is made."""

    title: Text
    suite: Text
    bootstrap: Literal["mmdebstrap", "dnf"]
    python: PythonVersion
    arch: tuple[Arch, ...] = Field(min_length=1)
    ends: Ends
    drop: Drop | None = None
    lock: Text | None = None


class PythonRow(Record):
    """A CPython that wheels are built for. `tested` is false until the whole suite has passed on it."""

    ends: Day
    tested: Bool
    drop: Drop | None = None


class ImageExclude(Record):
    """A combination without an image, and why."""

    hardware: Hardware
    os: Text
    arch: Arch
    reason: Reason


class Budget(Record):
    """Largest sum of an image's uncompressed layer tars, in bytes; None: no limit set."""

    devel: Bytes | None = None
    runtime: Bytes | None = None
    release: Bytes | None = None


class ImageMatrix(Record):
    """Which images exist: hardware x os x the system's architectures, less the excluded."""

    repository: Annotated[str, StringConstraints(pattern=r"^[a-z0-9/-]+\{hardware\}$")]
    default: Text
    hardware: tuple[Hardware, ...] = Field(min_length=1)
    os: tuple[Text, ...] = Field(min_length=1)
    kinds: tuple[Kind, ...] = Field(min_length=1)
    exclude: tuple[ImageExclude, ...] = ()
    budget: Budget = Budget()


class Platform(Record):
    """A wheel platform: its tag's name, and its directory in the download bucket."""

    name: PlatformName
    arch: Arch
    directory: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+$")]

    @property
    def system(self) -> str:
        """`linux` or `windows`."""
        return "windows" if self.name.startswith("win") else "linux"


class WheelExclude(Record):
    """A combination without a wheel, and why."""

    python: PythonVersion
    platform: PlatformName
    reason: Reason


class WheelMatrix(Record):
    """Which wheels exist: every [python] row x platform, less the excluded."""

    platform: tuple[Platform, ...] = Field(min_length=1)
    exclude: tuple[WheelExclude, ...] = ()


class SourceCell(Record):
    """A cell of the source's tables. `covered` names its rows; the other states say why there is none."""

    cell: Text
    state: Literal["covered", "superseded", "planned"]
    rows: tuple[Text, ...] = ()
    why: Reason | None = None

    @model_validator(mode="after")
    def _accounted(self) -> Self:
        if self.state == "covered" and not self.rows:
            raise broken(("state",), "`rows` for a covered cell", "none", "name its rows, or use another state")
        if self.state == "planned" and self.rows:
            raise broken(("rows",), "no rows for a planned cell", list(self.rows), "remove them, or state covered")
        if self.state != "covered" and self.why is None:
            raise broken(("state",), f"`why` for a {self.state} cell", "none", "say why there is no row")
        return self


class ImageRow(Record):
    """One image per kind: a combination that exists."""

    hardware: Hardware
    os: str
    python: str
    arch: Arch
    kinds: tuple[Kind, ...]

    @property
    def variant(self) -> str:
        """The row without its architecture: what one index spans."""
        return f"{self.hardware}/{self.os}/{python_tag(self.python)}"

    @property
    def id(self) -> str:
        """`cpu/debian12/py311/x86_64`."""
        return f"{self.variant}/{self.arch}"

    @property
    def platform(self) -> str:
        """The OCI platform: `linux/amd64`."""
        return f"linux/{OCI_ARCH[self.arch]}"


class WheelRow(Record):
    """One wheel: a CPython on a platform."""

    hardware: Hardware
    python: str
    platform: Platform
    tested: bool

    @property
    def tag(self) -> str:
        """The wheel's compatibility tag, `cp311-cp311-manylinux_2_28_x86_64`."""
        abi = "cp" + self.python.replace(".", "")
        return f"{abi}-{abi}-{self.platform.name}"

    @property
    def identifier(self) -> str:
        """cibuildwheel's build identifier, `cp311-manylinux_x86_64`."""
        return f"cp{self.python.replace('.', '')}-{re.sub(r'_[0-9]+_[0-9]+', '', self.platform.name)}"
