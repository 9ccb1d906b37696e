"""Programs of another machine: whether this one runs them (QEMU through binfmt_misc), and which machine a file is for."""

from __future__ import annotations

import platform
import tarfile
from pathlib import Path

from ci.errors import CheckError
from ci.layout import Layouts
from ci.oci import MANIFEST
from release.rows import OCI_ARCH

BINFMT = Path("/proc/sys/fs/binfmt_misc")
MACHINES = {62: "amd64", 183: "arm64"}
"""`e_machine` of an ELF header (System V ABI) as OCI configurations call it."""
PROBES = ("usr/bin/dash", "usr/bin/bash", "bin/dash", "bin/bash")
MEND = "apt-get install qemu-user-static binfmt-support arch-test, and mount binfmt_misc at /proc/sys/fs/binfmt_misc"


def runs(arch: str) -> bool:
    """Whether programs of `arch` start on this machine, also inside containers: QEMU must be loaded by the kernel (flag F)."""
    if arch == platform.machine():
        return True
    entry = BINFMT / f"qemu-{arch}"
    if not entry.exists():
        return False
    lines = entry.read_text(encoding="utf-8").splitlines()
    flags = next((line.removeprefix("flags: ") for line in lines if line.startswith("flags: ")), "")
    return "enabled" in lines and "F" in flags


def architecture_inside(store: Layouts, name: str) -> str:
    """The architecture that the image's shell is compiled for, whatever its configuration says."""
    for layer in store.manifest(name)["layers"]:
        with tarfile.open(store.path(layer["digest"])) as tar:
            for member in tar:
                if member.name in PROBES and member.isreg() and (stream := tar.extractfile(member)):
                    return MACHINES.get(int.from_bytes(stream.read(20)[18:20], "little"), "another machine")
    raise CheckError("no shell to tell the image's machine by", where=name, expected=", ".join(PROBES))


def check_architecture(store: Layouts, name: str, arch: str) -> None:
    """Raise CheckError unless the image's configuration and what is inside are both for `arch`."""
    said, found = store.config(name)["architecture"], architecture_inside(store, name)
    if {said, found} != {OCI_ARCH[arch]}:
        got = f"its configuration says {said}, its shell is for {found}"
        raise CheckError("an image of the wrong machine", where=name, expected=OCI_ARCH[arch], got=got)


def check_index(store: Layouts, name: str) -> None:
    """Raise CheckError unless each entry of the index holds what its platform says."""
    tags = {digest: tag for tag, digest in store.tags().items()}
    for entry in store.manifest(name)["manifests"]:
        said = entry["platform"]["architecture"]
        found = architecture_inside(store, tags[entry["digest"]]) if entry["mediaType"] == MANIFEST else said
        if said != found:
            raise CheckError(
                "an index names the wrong machine", where=f"{name}: {entry['digest']}", expected=said, got=found
            )
