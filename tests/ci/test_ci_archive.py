"""The same content gives the same digest, whoever saved it and when."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from ci import archive, oci
from ci.errors import CheckError, UsageError
from ci.layout import Layouts
from tests.ci.fakes import saved_image

EPOCH = 1_700_000_000
FILES = {
    "usr/bin/tool": b"tool",
    "var/log/dpkg.log": b"today",
    "var/cache/ldconfig/aux-cache": b"inodes",
    "tmp/x": b"",
    "packages/a.deb": b"",
    "etc/passwd-": b"",
}


def _normalise(tmp_path: Path, mtime: int) -> tuple[list[archive.Layer], Layouts]:
    saved, store = tmp_path / f"{mtime}.tar", Layouts(tmp_path / str(mtime))
    saved_image(saved, FILES, {"key": "value"}, mtime)
    return archive.normalise(saved, store, "name:tag", EPOCH), store


def _members(store: Layouts, layer: archive.Layer) -> list[tarfile.TarInfo]:
    with tarfile.open(store.path(layer.blob.digest)) as tar:
        return tar.getmembers()


def test_clock_and_builder_do_not_show(tmp_path: Path) -> None:
    (first, one), (second, two) = _normalise(tmp_path, EPOCH + 10), _normalise(tmp_path, EPOCH + 99)
    assert first == second
    assert one.digest("name:tag") == two.digest("name:tag")


def test_old_times_stay_and_what_no_image_should_carry_goes(tmp_path: Path) -> None:
    layers, store = _normalise(tmp_path, EPOCH - 10)
    found = [(member.name, member.mtime, member.uname) for member in _members(store, layers[0])]
    assert found == [("usr/bin/tool", EPOCH - 10, "")]


def test_the_configuration_keeps_what_matters(tmp_path: Path) -> None:
    layers, store = _normalise(tmp_path, EPOCH)
    config = store.config("name:tag")
    assert config["created"] == "2023-11-14T22:13:20Z"
    assert config["config"] == {"Labels": {"key": "value"}}
    assert config["rootfs"]["diff_ids"] == [layers[0].digest]
    assert "container" not in config
    assert layers[0].command == "COPY everything"
    assert layers[0].size % 512 == 0


def _tar(members: Iterable[tuple[tarfile.TarInfo, bytes]]) -> io.BytesIO:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    target.seek(0)
    return target


def _link(name: str, target: str) -> tarfile.TarInfo:
    link = tarfile.TarInfo(name)
    link.type, link.linkname = tarfile.LNKTYPE, target
    return link


def _clean(source: io.BytesIO) -> list[tuple[tarfile.TarInfo, bytes]]:
    target = io.BytesIO()
    archive.normalise_layer(source, target, EPOCH)
    target.seek(0)
    with tarfile.open(fileobj=target) as tar:
        return [(member, _content(tar, member)) for member in tar.getmembers()]


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = tar.extractfile(member)
    return stream.read() if stream else b""


def test_links_and_attributes_survive() -> None:
    file = tarfile.TarInfo("a")
    file.pax_headers = {"SCHILY.xattr.security.capability": "x", "atime": "1.5"}
    (first, _), (second, content) = _clean(_tar([(file, b"data"), (_link("b", "a"), b"")]))
    assert first.pax_headers == {"SCHILY.xattr.security.capability": "x"}
    assert (second.islnk(), second.linkname, content) == (True, "a", b"data")


def test_the_order_of_files_and_of_the_names_of_one_file_does_not_show() -> None:
    def names(order: list[str]) -> list[tuple[str, str, bytes]]:
        first, *others = order
        content = [(tarfile.TarInfo(first), b"data"), *((_link(name, first), b"") for name in others)]
        return [(member.name, member.linkname, data) for member, data in _clean(_tar(content))]

    assert (
        names(["z", "b/c", "m"])
        == names(["m", "z", "b/c"])
        == [("b/c", "", b"data"), ("m", "b/c", b"data"), ("z", "b/c", b"data")]
    )


def test_a_link_to_a_lower_layer_stays() -> None:
    ((link, _),) = [(member, 0) for member in _listing(_tar([(_link("new", "old"), b"")]))]
    assert (link.name, link.linkname) == ("new", "old")


def _listing(source: io.BytesIO) -> list[tarfile.TarInfo]:
    target = io.BytesIO()
    archive.normalise_layer(source, target, EPOCH)
    target.seek(0)
    with tarfile.open(fileobj=target) as tar:
        return tar.getmembers()


def test_the_day_of_a_password_does_not_show() -> None:
    text = b"root:*:20000:0:99999:7:::\nx:!:::::::\n"
    ((_, content),) = _clean(_tar([(tarfile.TarInfo("etc/shadow"), text)]))
    assert content == b"root:*:19675:0:99999:7:::\nx:!:::::::\n"


def test_a_layer_of_an_image_below_is_kept_as_it_is(tmp_path: Path) -> None:
    """Its time was clamped to another moment; the image above must still stand on the very same layer."""
    store = Layouts(tmp_path / "store")
    tar = tmp_path / "root.tar"
    tar.write_bytes(_tar([(tarfile.TarInfo("etc/os-release"), b"x")]).getvalue())
    base = archive.from_rootfs(tar, store, "base", "arm64", {"a": "b"}, EPOCH)
    assert store.config("base")["architecture"] == "arm64"
    saved = tmp_path / "saved.tar"
    saved_image(saved, FILES, {})
    _below(saved, gzip.decompress(store.path(base.blob.digest).read_bytes()), base.digest)
    layers = archive.normalise(saved, store, "above", EPOCH - 999)
    assert layers[0].digest == base.digest
    assert layers[0].size == base.size


def _below(saved: Path, layer: bytes, digest: str) -> None:
    """Make `layer` the only layer of a saved image."""
    with tarfile.open(saved) as tar:
        config = json.loads(_content(tar, tar.getmember("config.json")))
        manifest = _content(tar, tar.getmember("manifest.json"))
    config["rootfs"]["diff_ids"] = [digest]
    files = {"config.json": json.dumps(config).encode(), "manifest.json": manifest, "1/layer.tar": layer}
    saved.write_bytes(_tar((tarfile.TarInfo(name), content) for name, content in files.items()).getvalue())


def test_an_engine_can_load_what_the_layouts_hold(tmp_path: Path) -> None:
    layers, store = _normalise(tmp_path, EPOCH)
    archive.write_loadable(store, "name:tag", "other:name", tmp_path / "load.tar")
    with tarfile.open(tmp_path / "load.tar") as tar:
        (entry,) = json.loads(_content(tar, tar.getmember("manifest.json")))
        assert entry["RepoTags"] == ["other:name"]
        assert entry["Config"] == store.manifest("name:tag")["config"]["digest"][7:] + ".json"
        assert gzip.decompress(_content(tar, tar.getmember(entry["Layers"][0])))[:12] == b"usr/bin/tool"
    assert layers[0].blob.digest.endswith(entry["Layers"][0].removesuffix(".tar"))


def test_a_layout_holds_one_image_and_skopeo_can_read_it(tmp_path: Path) -> None:
    _, store = _normalise(tmp_path, EPOCH)
    folder = store.folder("name:tag")
    (entry,) = json.loads((folder / "index.json").read_bytes())["manifests"]
    assert entry["platform"] == {"architecture": "amd64", "os": "linux"}
    assert (folder / "blobs/sha256" / entry["digest"][7:]).is_file()
    assert json.loads((folder / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}


def test_an_index_spans_architectures(tmp_path: Path) -> None:
    store = Layouts(tmp_path)
    for machine in ("arm64", "amd64"):
        store.put(machine, {"architecture": machine, "os": "linux", "config": {}, "rootfs": {"diff_ids": []}}, [])
    store.put_index("both", ["arm64", "amd64"])
    assert [entry["platform"]["architecture"] for entry in store.manifest("both")["manifests"]] == ["amd64", "arm64"]
    with pytest.raises(CheckError, match="one image per architecture"):
        store.put_index("twice", ["arm64", "arm64"])


def test_what_no_tag_leads_to_is_swept_away(tmp_path: Path) -> None:
    _, store = _normalise(tmp_path, EPOCH)
    kept = store.digest("name:tag")
    spare = store.store.add(oci.dump({"left": "over"}))
    assert store.sweep() == []  # another build may be about to tag it
    os.utime(store.path(spare), (EPOCH, EPOCH))
    assert store.sweep() == [spare]
    assert store.manifest("name:tag")["schemaVersion"] == 2
    assert store.path(kept).exists()


def test_a_changed_blob_and_an_unknown_image_are_refused(tmp_path: Path) -> None:
    store = Layouts(tmp_path)
    blob = store.store.add(oci.dump({"a": 1}))
    assert blob == "sha256:015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
    store.path(blob).write_bytes(b'{"a":2}')
    with pytest.raises(CheckError, match="a blob of the image is damaged"):
        store.read(blob)
    store.path(blob).unlink()
    with pytest.raises(CheckError, match="no such file"):
        store.read(blob)
    with pytest.raises(UsageError, match="not built here"):
        store.digest("nothing")


def test_a_broken_archive_is_an_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.tar"
    with tarfile.open(broken, "w") as tar:
        folder = tarfile.TarInfo("manifest.json")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
    with pytest.raises(tarfile.ReadError, match=r"manifest\.json"):
        archive.normalise(broken, Layouts(tmp_path / "out"), "t", EPOCH)
