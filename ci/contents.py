"""What is inside an image: its files, its system's packages, its Python packages; and what differs between two images."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ci import report, rpm
from ci.layout import Layouts

WHITEOUT, OPAQUE = ".wh.", ".wh..wh..opq"
DPKG = "var/lib/dpkg/status"
OS_RELEASE = "usr/lib/os-release"
READ = {DPKG, OS_RELEASE, *rpm.DATABASES, *(name + rpm.JOURNAL for name in rpm.DATABASES)}
IDENTITY = re.compile(r'^ID="?([^"\n]+)"?$', re.MULTILINE)
METADATA = re.compile(r".*/([^/]+)\.dist-info/METADATA$")
FIELD = re.compile(r"^(Package|Name|Source|Version|Status): (.*)$", re.MULTILINE)
LISTED = 40


@dataclass
class Contents:
    """Files with their sizes in bytes, packages with their versions, and the system's `ID` of os-release.

    `form` says whose the system's packages are: dpkg's (`deb`) or rpm's. `sources` has the name and version of the source
    that a package was made from, where they differ from its own: vulnerabilities are known by these.
    """

    files: dict[str, int] = field(default_factory=dict)
    system: dict[str, str] = field(default_factory=dict)
    python: dict[str, str] = field(default_factory=dict)
    distribution: str = ""
    form: Literal["deb", "rpm"] = "deb"
    sources: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(self.files.values())


def read(store: Layouts, name: str) -> Contents:
    """The contents of the image `name`."""
    return of_layers(store.path(layer["digest"]) for layer in store.manifest(name)["layers"])


def of_layers(layers: Iterable[Path]) -> Contents:
    """The contents of an image: the tars of its layers, lowest first, laid over each other."""
    found = Contents()
    texts: dict[str, bytes] = {}
    for layer in layers:
        with tarfile.open(layer) as tar:
            for member in tar:
                _lay(found, texts, tar, member)
    there = {path: data for path, data in texts.items() if path in found.files}
    for path, data in there.items():
        if path in rpm.DATABASES:
            journal = {name: there[name] for name in (path + rpm.JOURNAL,) if name in there}
            found.system, found.form = rpm.packages({path: data} | journal), "rpm"
        elif not path.endswith(rpm.JOURNAL):
            _packages(found, path, data.decode("utf-8", "replace"))
    return found


def _lay(found: Contents, texts: dict[str, bytes], tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    folder, _, base = member.name.rpartition("/")
    if base.startswith(WHITEOUT):
        hidden = folder if base == OPAQUE else f"{folder}/{base.removeprefix(WHITEOUT)}".lstrip("/")
        for path in [path for path in found.files if path == hidden or path.startswith(f"{hidden}/")]:
            del found.files[path]
    elif not member.isdir():
        found.files[member.name] = member.size
        if member.isreg() and (member.name in READ or METADATA.match(member.name)):
            stream = tar.extractfile(member)
            texts[member.name] = stream.read() if stream else b""


def _packages(found: Contents, path: str, text: str) -> None:
    if path == OS_RELEASE:
        found.distribution = next(iter(IDENTITY.findall(text)), "")
        return
    if path != DPKG:
        fields = dict(
            reversed(FIELD.findall(text))
        )  # the first of each name counts: a description may look like a field
        found.python[fields["Name"].lower()] = fields["Version"]
        return
    for stanza in text.split("\n\n"):
        fields = dict(FIELD.findall(stanza))
        if fields.get("Status", "").endswith(" installed"):
            name, version = fields["Package"], fields["Version"]
            found.system[name] = version
            if "Source" in fields:
                source, _, own = fields["Source"].partition(" ")
                found.sources[name] = source, own.strip("()") or version


@dataclass(frozen=True)
class Change:
    """One thing that differs: its old and its new value, None where it was or is absent."""

    name: str
    old: Any
    new: Any


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """What was added, removed or changed, by name."""
    return [
        Change(name, old.get(name), new.get(name)) for name in sorted({*old, *new}) if old.get(name) != new.get(name)
    ]


def compare(old: Contents, new: Contents) -> dict[str, Any]:
    """The differences, as data: sizes in all, packages, and files by the growth that they bring."""
    files = changes(old.files, new.files)
    files.sort(key=lambda change: (-abs((change.new or 0) - (change.old or 0)), change.name))
    return {
        "size": {"old": old.size, "new": new.size},
        "system": [vars(change) for change in changes(old.system, new.system)],
        "python": [vars(change) for change in changes(old.python, new.python)],
        "files": [vars(change) for change in files],
    }


def text(difference: Mapping[str, Any]) -> str:
    """The differences for a reader; of the files the largest growths alone."""
    size = difference["size"]
    lines = [
        f"size: {size['old'] / 1e6:.1f} MB -> {size['new'] / 1e6:.1f} MB ({(size['new'] - size['old']) / 1e6:+.1f} MB)"
    ]
    for title, key in (("system packages", "system"), ("Python packages", "python"), ("files", "files")):
        found = difference[key]
        lines.append(f"\n{title}: {len(found) or 'no'} differences")
        if found:
            lines.append(report.table(("name", "old", "new"), list(_rows(found[:LISTED]))))
        if len(found) > LISTED:
            lines.append(f"... and {len(found) - LISTED} more (--json lists them all)")
    return "\n".join(lines)


def _rows(found: list[dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
    for change in found:
        yield change["name"], *("-" if change[side] is None else str(change[side]) for side in ("old", "new"))
