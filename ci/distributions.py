"""What differs between the systems that images are built on; the manifest says which of them and for which Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ci.errors import UsageError
from release.rows import ImageRow

TOOLCHAIN = ("g++", "git", "ca-certificates")


@dataclass(frozen=True)
class Distribution:
    """A family of systems: its reference in a registry, its package manager and packages.

    `python` is the interpreter's name where the system's `python3` is older than the manifest's row wants.
    """

    reference: str
    manager: Literal["apt", "dnf"]
    runtime: tuple[str, ...]
    devel: tuple[str, ...]
    keyring: str = ""
    python: str = "python3"


_DISTRIBUTIONS = {
    "debian": Distribution(
        reference="debian:{suite}-slim",
        manager="apt",
        runtime=("python3",),
        devel=("python3", "python3-dev", *TOOLCHAIN),
        keyring="/usr/share/keyrings/debian-archive-keyring.gpg",
    ),
    "ubuntu": Distribution(
        reference="ubuntu:{suite}",
        manager="apt",
        runtime=("python3",),
        devel=("python3", "python3-dev", *TOOLCHAIN),
        keyring="/usr/share/keyrings/ubuntu-archive-keyring.gpg",
    ),
    "openeuler": Distribution(
        reference="openeuler/openeuler:{number}-lts",
        manager="dnf",
        runtime=("python3",),
        devel=("python3", "python3-devel", "gcc-c++", "git", "ca-certificates"),
    ),
    "centos": Distribution(
        reference="quay.io/centos/centos:{suite}",
        manager="dnf",
        runtime=("python3.12",),
        devel=("python3.12", "python3.12-devel", "gcc-c++", "git", "ca-certificates"),
        python="python3.12",
    ),
}


def distribution(os: str) -> Distribution:
    """The family of the manifest's row `os` ('debian12' is Debian's)."""
    family = os.rstrip("0123456789.")
    if family not in _DISTRIBUTIONS:
        raise UsageError(
            f"no packages are known for the system '{os}'",
            where="ci/distributions.py",
            expected=f"a name that starts with one of {', '.join(_DISTRIBUTIONS)}",
            got=os,
            fix="describe the system there",
        )
    return _DISTRIBUTIONS[family]


def reference(row: ImageRow, suite: str) -> str:
    """Where a registry would have the row's base image."""
    number = row.os.lstrip("abcdefghijklmnopqrstuvwxyz")
    return distribution(row.os).reference.format(suite=suite, number=number)
