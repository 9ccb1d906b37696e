"""The same content gives the same digest, whoever saved it and when."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from ci import archive
from tests.ci.fakes import saved_image

EPOCH = 1_700_000_000
FILES = {"usr/bin/tool": b"tool", "var/log/dpkg.log": b"today", "var/cache/ldconfig/aux-cache": b"inodes", "tmp/x": b""}


def _normalise(tmp_path: Path, mtime: int) -> tuple[list[archive.Layer], bytes]:
    saved, clean = tmp_path / f"{mtime}.tar", tmp_path / f"{mtime}.clean.tar"
    saved_image(saved, FILES, {"key": "value"}, mtime)
    return archive.normalise(saved, clean, "name:tag", EPOCH), clean.read_bytes()


def test_clock_and_builder_do_not_show(tmp_path: Path) -> None:
    first, second = _normalise(tmp_path, EPOCH + 10), _normalise(tmp_path, EPOCH + 99)
    assert first == second


def test_old_times_stay_and_logs_go(tmp_path: Path) -> None:
    _, content = _normalise(tmp_path, EPOCH - 10)
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        layer = next(name for name in tar.getnames() if name.endswith(".tar"))
        stream = tar.extractfile(layer)
        assert stream is not None
        with tarfile.open(fileobj=stream) as inner:
            assert [(member.name, member.mtime, member.uname) for member in inner] == [("usr/bin/tool", EPOCH - 10, "")]


def test_the_configuration_keeps_what_matters(tmp_path: Path) -> None:
    layers, content = _normalise(tmp_path, EPOCH)
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        stream = tar.extractfile(
            next(name for name in tar.getnames() if name.endswith(".json") and "manifest" not in name)
        )
        assert stream is not None
        config = json.loads(stream.read())
    assert config["created"] == "2023-11-14T22:13:20Z"
    assert config["config"] == {"Labels": {"key": "value"}}
    assert config["rootfs"]["diff_ids"] == [layers[0].digest]
    assert "container" not in config
    assert layers[0].command == "COPY everything"
    assert layers[0].size % 512 == 0


def test_links_and_attributes_survive() -> None:
    source, target = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=source, mode="w", format=tarfile.PAX_FORMAT) as tar:
        member = tarfile.TarInfo("a")
        member.pax_headers = {"SCHILY.xattr.security.capability": "x", "atime": "1.5"}
        tar.addfile(member)
        link = tarfile.TarInfo("b")
        link.type, link.linkname = tarfile.LNKTYPE, "a"
        tar.addfile(link)
    source.seek(0)
    archive.normalise_layer(source, target, EPOCH)
    target.seek(0)
    with tarfile.open(fileobj=target) as tar:
        first, second = tar.getmembers()
    assert first.pax_headers == {"SCHILY.xattr.security.capability": "x"}
    assert (second.islnk(), second.linkname) == (True, "a")


def test_a_broken_archive_is_an_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.tar"
    with tarfile.open(broken, "w") as tar:
        folder = tarfile.TarInfo("manifest.json")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
    with pytest.raises(tarfile.ReadError, match=r"manifest\.json"):
        archive.normalise(broken, tmp_path / "out.tar", "t", EPOCH)
