"""The matrix's models (systems, Pythons, images, wheels, source cells) and the rows that they span."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from release.fields import Bool, Bytes, Day, PythonVersion, Reason, Record, Text, broken, python_tag

Arch = Literal["x86_64", "aarch64"]
Hardware = Literal["cpu", "gpu", "ascend"]
Kind = Literal["devel", "runtime", "release"]
PlatformName = Annotated[str, StringConstraints(pattern=r"^(manylinux_\d+_\d+_(x86_64|aarch64)|win_amd64)$")]
StackName = Annotated[str, StringConstraints(pattern=r"^[a-z]+\d+$")]
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


class Stack(Record):
    """The vendor's libraries under a hardware's images: CUDA, CANN. `driver` is the oldest one of the host that runs them."""

    title: Text
    version: Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)+$")]
    driver: Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)+$")]
    ends: Ends
    drop: Drop | None = None


class HardwareRow(Record):
    """A kind of device: its name in tables, the row that short tags mean, and its stacks, if it needs any."""

    title: Text
    default: Text
    stack: dict[StackName, Stack] = Field(default_factory=dict)


class ImageExclude(Record):
    """Combinations without an image, and why. A key that is left out means any."""

    hardware: Hardware
    os: Text | None = None
    stack: Text | None = None
    arch: Arch | None = None
    reason: Reason

    def covers(self, row: "ImageRow") -> bool:
        """Whether `row` is one of the combinations."""
        wanted = (self.hardware, self.os, self.stack, self.arch)
        return all(
            want in (None, got) for want, got in zip(wanted, (row.hardware, row.os, row.stack, row.arch), strict=True)
        )


class Budget(Record):
    """Largest sum of an image's uncompressed layer tars, in bytes; None: no limit set."""

    devel: Bytes | None = None
    runtime: Bytes | None = None
    release: Bytes | None = None


class ImageMatrix(Record):
    """Which images exist: hardware x os x stack x the system's architectures, less the excluded."""

    repository: Annotated[str, StringConstraints(pattern=r"^[a-z0-9/-]+\{hardware\}$")]
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
    """A cell of the source's tables and its rows. One that is `superseded` says what took its place, and why."""

    cell: Text
    state: Literal["covered", "superseded"]
    rows: tuple[Text, ...] = Field(min_length=1)
    why: Reason | None = None

    @model_validator(mode="after")
    def _accounted(self) -> Self:
        if self.state == "superseded" and self.why is None:
            raise broken(("state",), "`why` for a superseded cell", "none", "say why other rows take its place")
        return self


class ImageRow(Record):
    """One image per kind: a combination that exists."""

    hardware: Hardware
    os: str
    python: str
    arch: Arch
    kinds: tuple[Kind, ...]
    stack: str | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """What tells the row's tags apart: system, Python and, where the hardware has one, stack."""
        return (self.os, python_tag(self.python), *([self.stack] if self.stack else []))

    @property
    def variant(self) -> str:
        """The row without its architecture: what one index spans."""
        return "/".join((self.hardware, *self.parts))

    @property
    def id(self) -> str:
        """`cpu/debian12/py311/x86_64`, `gpu/ubuntu24.04/py312/cuda13/x86_64`."""
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
