"""What is inside an image, and what differs between two."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from ci import archive, contents, image_commands, images
from ci.errors import UsageError
from ci.layout import Layouts
from ci.oci import Descriptor
from ci.shop import Shop
from release.rows import ImageRow

STATUS = "Package: bash\nStatus: install ok installed\nVersion: 5\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n"
METADATA = "Name: NumPy\nVersion: 2.4\nSummary: x\n\nName: not this\n"
LIB = "usr/local/lib/numpy-2.4.dist-info/METADATA"
BASE = {"etc/a": "a", "opt/x/1": "1", "opt/x/2": "22", contents.DPKG: STATUS, LIB: METADATA}


def _layer(store: Layouts, files: dict[str, str]) -> Descriptor:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    target.seek(0)
    return archive.add_layer(store, target, 0).blob


def _image(store: Layouts, name: str, *layers: dict[str, str]) -> contents.Contents:
    blobs = [_layer(store, files) for files in layers]
    diffs = {"diff_ids": [blob.digest for blob in blobs]}
    store.put(name, {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": diffs}, blobs)
    return contents.read(store, name)


def test_packages_are_read_from_what_the_package_managers_wrote(tmp_path: Path) -> None:
    found = _image(Layouts(tmp_path), "image", BASE)
    assert (found.system, found.python) == ({"bash": "5"}, {"numpy": "2.4"})
    assert found.size == len(STATUS) + len(METADATA) + 4


def test_upper_layers_hide_lower_ones(tmp_path: Path) -> None:
    found = _image(Layouts(tmp_path), "image", BASE, {"etc/.wh.a": "", "opt/x/.wh..wh..opq": "", "opt/x/3": "333"})
    assert {name for name in found.files if not name.startswith(("usr", "var"))} == {"opt/x/3"}


def test_the_difference_names_packages_and_files(tmp_path: Path) -> None:
    store = Layouts(tmp_path)
    old = _image(store, "old", BASE)
    newer = METADATA.replace("2.4", "2.5")
    new = _image(store, "new", BASE, {LIB: newer, "etc/a": "longer", "big": "b" * 5000, "opt/.wh.x": ""})
    found = contents.compare(old, new)
    assert found["python"] == [{"name": "numpy", "old": "2.4", "new": "2.5"}]
    assert found["system"] == []
    assert [change["name"] for change in found["files"]] == ["big", "etc/a", "opt/x/2", "opt/x/1"]
    assert found["size"]["new"] - found["size"]["old"] == 5000 + 5 - 3
    text = contents.text(found)
    assert "system packages: no differences" in text
    assert "numpy  2.4  2.5" in text
    assert "opt/x/1  1    -" in text


def test_long_lists_are_cut_for_readers(tmp_path: Path) -> None:
    store = Layouts(tmp_path)
    found = contents.compare(_image(store, "a", {}), _image(store, "b", {f"f{number}": "x" for number in range(50)}))
    assert "... and 10 more" in contents.text(found)


def test_images_are_found_by_their_tags(shop: Shop, row: ImageRow, capsys: pytest.CaptureFixture[str]) -> None:
    images.build(shop, row, ["runtime"])
    by_name = image_commands.inside(shop, images.layout_name(row, "runtime"))
    by_tag = image_commands.inside(shop, "mindspore/mindspore-cpu:runtime")
    assert by_name.files == by_tag.files == {"file": 1000, "usr/bin/dash": 20}
    with pytest.raises(UsageError, match="no such image") as caught:
        image_commands.inside(shop, "nothing")
    assert "cpu/debian12/py311/x86_64:runtime" in caught.value.expected


def test_differences_are_data_too(tmp_path: Path) -> None:
    store = Layouts(tmp_path)
    found = contents.compare(_image(store, "a", BASE), _image(store, "b", BASE, {"n": "1"}))
    assert json.loads(json.dumps(found))["files"] == [{"name": "n", "old": None, "new": 1}]
