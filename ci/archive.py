"""Rewrites a saved image so that the same content always has the same digest, whoever built it and when."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, cast

SCRUBBED = ("var/log/", "var/cache/ldconfig/aux-cache", "tmp/", "run/", "root/.cache/", "wheelhouse/")
FOLDERS = tuple(name for name in SCRUBBED if name.endswith("/"))
KEPT_HEADERS = "SCHILY.xattr."
CONFIG_KEYS = ("architecture", "os", "variant", "config", "rootfs", "history")
RUNTIME_KEYS = ("Hostname", "Domainname", "Image", "AttachStdin", "AttachStdout", "AttachStderr")


@dataclass(frozen=True)
class Layer:
    """One layer: the command that made it, its digest and the size of its tar in bytes."""

    command: str
    digest: str
    size: int


class _Hashing:
    """A file that hashes and counts what is written to it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream, self.digest, self.size = stream, hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self.stream.write(data)


def _clean(member: tarfile.TarInfo, epoch: int) -> tarfile.TarInfo | None:
    """The entry with its time clamped and only its numeric owner; None for what no image should carry."""
    name = member.name.removeprefix("./")
    if name in SCRUBBED or name.startswith(FOLDERS):
        return None
    member.mtime = min(int(member.mtime), epoch)
    member.uname = member.gname = ""
    member.pax_headers = {key: text for key, text in member.pax_headers.items() if key.startswith(KEPT_HEADERS)}
    return member


def normalise_layer(source: IO[bytes], target: IO[bytes], epoch: int) -> tuple[str, int]:
    """Copy a layer's tar with clean entries; give its digest and size."""
    hashing = _Hashing(target)
    with (
        tarfile.open(fileobj=source, mode="r:*") as old,
        tarfile.open(fileobj=cast(IO[bytes], hashing), mode="w|", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in old:
            if clean := _clean(member, epoch):
                new.addfile(clean, old.extractfile(member) if member.isreg() else None)
    return f"sha256:{hashing.digest.hexdigest()}", hashing.size


def normalise_config(config: Mapping[str, Any], diff_ids: list[str], epoch: int) -> dict[str, Any]:
    """The image's configuration without the builder's host, container and clock."""
    created = datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    kept = {key: config[key] for key in CONFIG_KEYS if key in config}
    kept["created"] = created
    kept["config"] = {key: value for key, value in config["config"].items() if key not in RUNTIME_KEYS}
    kept["rootfs"] = {"type": "layers", "diff_ids": diff_ids}
    kept["history"] = [_history(entry, created) for entry in config.get("history", [])]
    return kept


def _history(entry: Mapping[str, Any], created: str) -> dict[str, Any]:
    kept = {key: entry[key] for key in ("created_by", "comment", "empty_layer") if entry.get(key)}
    return {"created": created, **kept}


def _commands(config: Mapping[str, Any]) -> list[str]:
    return [entry.get("created_by", "") for entry in config.get("history", []) if not entry.get("empty_layer")]


def normalise(saved: Path, target: Path, tag: str, epoch: int) -> list[Layer]:
    """Rewrite the `docker save` archive `saved` into `target`, tagged `tag`; give its layers, lowest first."""
    with tarfile.open(saved) as old, TemporaryDirectory(dir=target.parent) as scratch:
        manifest = json.loads(_read(old, "manifest.json"))[0]
        config = json.loads(_read(old, manifest["Config"]))
        layers: list[Layer] = []
        with tarfile.open(target, "w") as new:
            for number, name in enumerate(manifest["Layers"]):
                path = Path(scratch) / str(number)
                with path.open("wb") as stream:
                    digest, size = normalise_layer(_open(old, name), stream, epoch)
                commands = _commands(config)
                layers.append(Layer(commands[number] if number < len(commands) else "", digest, size))
                if digest not in {layer.digest for layer in layers[:-1]}:
                    new.add(path, f"{digest[7:]}.tar", filter=_plain)
                path.unlink()
            text = json.dumps(normalise_config(config, [layer.digest for layer in layers], epoch), sort_keys=True)
            name = f"{hashlib.sha256(text.encode()).hexdigest()}.json"
            _add(new, name, text)
            names = [f"{layer.digest[7:]}.tar" for layer in layers]
            _add(new, "manifest.json", json.dumps([{"Config": name, "RepoTags": [tag], "Layers": names}]))
    return layers


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


def _add(archive: tarfile.TarFile, name: str, text: str) -> None:
    data = text.encode()
    member = tarfile.TarInfo(name)
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))
