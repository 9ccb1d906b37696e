"""Rewrites a saved image so that the same content always has the same digest, whoever built it and when."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, cast

from ci.files import replacing
from ci.layout import Layouts
from ci.oci import Descriptor

SCRUBBED = (
    "var/log/",
    "var/cache/ldconfig/aux-cache",
    "var/cache/debconf/config.dat-old",
    "var/cache/debconf/templates.dat-old",
    "var/lib/dpkg/status-old",
    "var/lib/dpkg/diversions-old",
    "var/lib/dpkg/statoverride-old",
    "etc/passwd-",
    "etc/group-",
    "etc/shadow-",
    "etc/gshadow-",
    "tmp/",
    "run/",
    "root/.cache/",
    "wheelhouse/",
    "packages/",
    ".wh.wheelhouse",
    ".wh.packages",
)
FOLDERS = tuple(name for name in SCRUBBED if name.endswith("/"))
PASSING = {"wheelhouse", "packages"}
"""Folders that a build copies in, installs from and removes: not even their names stay."""
KEPT_HEADERS = "SCHILY.xattr."
CONFIG_KEYS = ("architecture", "os", "variant", "config", "rootfs", "history")
RUNTIME_KEYS = ("Hostname", "Domainname", "Image", "AttachStdin", "AttachStdout", "AttachStderr")
COMPRESSION = 4
DAY = 86_400


@dataclass(frozen=True)
class Layer:
    """One layer: the command that made it, the digest and size in bytes of its tar, and the compressed blob that holds it."""

    command: str
    digest: str
    size: int
    blob: Descriptor


class _Hashing:
    """A file that hashes and counts what is written to it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream, self.digest, self.size = stream, hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self.stream.write(data)

    def flush(self) -> None:
        self.stream.flush()


def _kept(name: str) -> bool:
    return not (name in SCRUBBED or name in PASSING or name.startswith(FOLDERS))


def _entries(old: tarfile.TarFile) -> list[tuple[str, tarfile.TarInfo]]:
    """The layer's entries by name, each name once, folders before what is in them."""
    found = {member.name.removeprefix("./").rstrip("/") or ".": member for member in old}
    return sorted(
        ((name, member) for name, member in found.items() if _kept(name)), key=lambda pair: pair[0].split("/")
    )


def _link_homes(entries: Iterable[tuple[str, tarfile.TarInfo]]) -> dict[str, str]:
    """For each name of a file with several names, the first of them: the one that holds the content."""
    homes: dict[str, str] = {}
    groups: dict[str, list[str]] = {}
    for name, member in entries:
        groups.setdefault(member.linkname.removeprefix("./") if member.islnk() else name, []).append(name)
    for target, names in groups.items():
        if target in names:  # what links to a lower layer stays as it is
            homes.update(dict.fromkeys(names, names[0]))
    return homes


def _shadow(content: bytes, epoch: int) -> bytes:
    """/etc/shadow with the day of `epoch` for each password's last change."""
    lines = [line.split(b":") for line in content.splitlines()]
    for fields in lines:
        if len(fields) > 2 and fields[2].isdigit():
            fields[2] = str(epoch // DAY).encode()
    return b"".join(b":".join(fields) + b"\n" for fields in lines)


REWRITTEN: dict[str, Callable[[bytes, int], bytes]] = {"etc/shadow": _shadow}


def _copy(old: tarfile.TarFile, new: tarfile.TarFile, name: str, member: tarfile.TarInfo, epoch: int) -> None:
    """Add one entry with its time clamped and only its numeric owner."""
    member.name = name
    member.mtime = min(int(member.mtime), epoch)
    member.uname = member.gname = ""
    member.pax_headers = {key: text for key, text in member.pax_headers.items() if key.startswith(KEPT_HEADERS)}
    content = old.extractfile(member) if member.isreg() else None
    if content and name in REWRITTEN:
        data = REWRITTEN[name](content.read(), epoch)
        member.size, content = len(data), cast(IO[bytes], io.BytesIO(data))
    new.addfile(member, content)


def normalise_layer(source: IO[bytes], target: IO[bytes], epoch: int) -> tuple[str, int]:
    """Copy a layer's tar with clean, sorted entries; give its digest and size. `source` must be able to seek."""
    hashing = _Hashing(target)
    with (
        tarfile.open(fileobj=source, mode="r:*") as old,
        tarfile.open(fileobj=cast(IO[bytes], hashing), mode="w|", format=tarfile.PAX_FORMAT) as new,
    ):
        entries = _entries(old)
        homes, members = _link_homes(entries), dict(entries)
        for name, member in entries:
            home = homes.get(name, name)
            if home != name:
                link = tarfile.TarInfo(name)
                link.type, link.linkname = tarfile.LNKTYPE, home
                link.mode, link.uid, link.gid, link.mtime = member.mode, member.uid, member.gid, int(member.mtime)
                _copy(old, new, name, link, epoch)
            elif member.islnk() and name in homes:
                _copy(old, new, name, copy(members[member.linkname.removeprefix("./")]), epoch)
            else:
                _copy(old, new, name, copy(member), epoch)
    return f"sha256:{hashing.digest.hexdigest()}", hashing.size


def normalise_config(config: Mapping[str, Any], diff_ids: list[str], epoch: int) -> dict[str, Any]:
    """The image's configuration without the builder's host, container and clock."""
    created = created_at(epoch)
    kept = {key: config[key] for key in CONFIG_KEYS if key in config}
    kept["created"] = created
    kept["config"] = {key: value for key, value in config["config"].items() if key not in RUNTIME_KEYS}
    kept["rootfs"] = {"type": "layers", "diff_ids": diff_ids}
    kept["history"] = [_history(entry, created) for entry in config.get("history", [])]
    return kept


def created_at(epoch: int) -> str:
    """A Unix time as image configurations write it."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _history(entry: Mapping[str, Any], created: str) -> dict[str, Any]:
    """What a line of history says of the recipe; in comments buildah names images that pass away with the build."""
    kept = {key: entry[key] for key in ("created_by", "empty_layer") if entry.get(key)}
    return {"created": created, **kept}


def _commands(config: Mapping[str, Any]) -> list[str]:
    return [entry.get("created_by", "") for entry in config.get("history", []) if not entry.get("empty_layer")]


def add_layer(store: Layouts, source: IO[bytes], epoch: int, command: str = "") -> Layer:
    """Put a layer's tar into the store, clean and compressed in the one way that we use."""
    with store.adding() as scratch:
        with scratch.open("wb") as raw, gzip.GzipFile("", "wb", COMPRESSION, raw, mtime=0) as packed:
            digest, size = normalise_layer(source, cast(IO[bytes], packed), epoch)
        blob = store.keep(scratch)
    store.note_size(blob.digest, size)
    return Layer(command, digest, size, blob)


def normalise(saved: Path, store: Layouts, tag: str, epoch: int) -> list[Layer]:
    """Put the `docker save` archive `saved` into `store` as `tag`; give its layers, lowest first.

    Layers that the store already holds are those of images below, which were normalised with a time of their own.
    """
    known = store.layers()
    with tarfile.open(saved) as old:
        manifest = json.loads(_read(old, "manifest.json"))[0]
        config = json.loads(_read(old, manifest["Config"]))
        commands = _commands(config)
        layers: list[Layer] = []
        for number, name in enumerate(manifest["Layers"]):
            command = commands[number] if number < len(commands) else ""
            diff = config["rootfs"]["diff_ids"][number]
            if diff in known:
                layers.append(Layer(command, diff, store.unpacked_size(known[diff].digest), known[diff]))
            else:
                layers.append(add_layer(store, _open(old, name), epoch, command))
    store.put(
        tag, normalise_config(config, [layer.digest for layer in layers], epoch), [layer.blob for layer in layers]
    )
    return layers


def from_rootfs(tar: Path, store: Layouts, tag: str, architecture: str, labels: Mapping[str, str], epoch: int) -> Layer:
    """Put a root file system into `store` as an image of one layer; unlike the engines' `import` it says which machine it is for."""
    with tar.open("rb") as stream:
        layer = add_layer(store, stream, epoch)
    history = [{"created_by": f"root file system of {tag}"}]
    settings = {"Labels": dict(labels), "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]}
    config = {"architecture": architecture, "os": "linux", "history": history, "config": settings}
    store.put(tag, normalise_config(config, [layer.digest], epoch), [layer.blob])
    return layer


def write_loadable(store: Layouts, name: str, tag: str, target: Path) -> None:
    """Write the image `name` as an archive that engines load as `tag`."""
    write_archive(store.manifest(name), store.path, tag, target)


def write_archive(manifest: Mapping[str, Any], blob_of: Callable[[str], Path], tag: str, target: Path) -> None:
    """Write the image of a manifest as the archive that `docker load` and `podman load` take as `tag`; both unpack layers."""
    with replacing(target) as scratch, tarfile.open(scratch, "w") as new:
        for blob in dict.fromkeys(layer["digest"] for layer in manifest["layers"]):
            new.add(blob_of(blob), f"{blob[7:]}.tar", filter=_plain)
        names = [f"{layer['digest'][7:]}.tar" for layer in manifest["layers"]]
        config = f"{manifest['config']['digest'][7:]}.json"
        new.add(blob_of(manifest["config"]["digest"]), config, filter=_plain)
        text = json.dumps([{"Config": config, "RepoTags": [tag], "Layers": names}]).encode()
        entry = tarfile.TarInfo("manifest.json")
        entry.size = len(text)
        new.addfile(entry, io.BytesIO(text))


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime, member.uid, member.gid, member.uname, member.gname, member.mode = 0, 0, 0, "", "", 0o644
    return member


def _open(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    stream = archive.extractfile(name)
    if stream is None:
        raise tarfile.ReadError(f"{name} is not a file of the saved image")
    return stream


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    return _open(archive, name).read()
