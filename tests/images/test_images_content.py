"""What the images hold and what they must not hold."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from ci import archive, images, sizes
from ci.errors import CheckError
from ci.oci import GZIP_LAYER, Descriptor
from ci.shop import Shop, labels_of
from release.matrix import budget
from release.rows import ImageRow, Kind
from tests.images.conftest import Run

pytestmark = pytest.mark.engine

SHIPPED: list[Kind] = ["runtime", "release"]
TOOLS = "gcc cc g++ c++ clang ld as ar make cmake ninja zig git"
CACHES = "/root/.cache /home/mindspore/.cache /wheelhouse /var/cache/apt/*.bin /var/cache/apt/archives/*.deb"
LEFTOVERS = f"{CACHES} /var/lib/apt/lists/* /var/log/* /tmp/* /var/cache/ldconfig/aux-cache /usr/share/man/*"
STRANGER = "4242:4242"


@pytest.mark.parametrize("kind", ["devel", *SHIPPED])
def test_the_user_is_not_root_and_owns_a_home(inside: Run, kind: Kind) -> None:
    script = 'id -u; id -un; cd "$HOME" && touch here && echo "$HOME"'
    assert inside(kind, "sh", "-c", script).stdout.split() == ["10001", "mindspore", "/home/mindspore"]


@pytest.mark.parametrize("kind", ["devel", *SHIPPED])
def test_any_user_id_has_a_writable_home(inside: Run, kind: Kind) -> None:
    done = inside(kind, "sh", "-c", 'id -u; mkdir -p "$HOME/.cache/x" && echo made', user=STRANGER)
    assert done.stdout.split() == ["4242", "made"]


@pytest.mark.parametrize("kind", SHIPPED)
def test_there_is_no_compiler(inside: Run, kind: Kind) -> None:
    script = f"for tool in {TOOLS}; do command -v $tool; done; find / -xdev -name 'cc1*' -o -xdev -name 'zig'; true"
    assert inside(kind, "sh", "-c", f"{{ {script}; }} 2>/dev/null").stdout == ""


@pytest.mark.parametrize("kind", ["devel", *SHIPPED])
def test_there_is_no_cache_and_no_log(inside: Run, kind: Kind) -> None:
    listing = f"for path in {LEFTOVERS}; do [ -e $path ] && echo $path; done; true"
    assert inside(kind, "sh", "-c", listing, user="0").stdout == ""


def test_the_toolchain_is_in_the_devel_image(inside: Run) -> None:
    script = "g++ --version && cmake --version && ninja --version && git --version && python3-config --includes"
    done = inside(
        "devel", "bash", "-c", f"{script} && python3 -c 'import nanobind, scikit_build_core, llvmlite, ziglang'"
    )
    assert done.code == 0, done.stderr


@pytest.mark.parametrize("kind", ["devel", *SHIPPED])
def test_labels_say_what_it_is(shop: Shop, inspected: dict[Kind, Any], row: ImageRow, kind: Kind) -> None:
    if kind not in inspected:
        pytest.skip(f"there is no {kind} image of {row.id} here")
    labels = labels_of(inspected[kind])
    assert labels["org.opencontainers.image.version"] == shop.manifest.current.text
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert labels[images.ROW_LABEL] == row.id
    assert len(labels["org.opencontainers.image.revision"]) >= 11
    assert labels["org.opencontainers.image.base.digest"].startswith("sha256:")
    assert labels.get("org.mindspore.intermediate", "false") == "false"


def test_the_release_stands_on_the_runtime_image(inspected: dict[Kind, Any]) -> None:
    below, above = (inspected[kind]["RootFS"]["Layers"] for kind in SHIPPED)
    assert above[: len(below)] == below
    assert len(above) == len(below) + 1


def test_the_release_keeps_its_budget(shop: Shop, row: ImageRow, tags: dict[Kind, str]) -> None:
    size = images.measured(shop, row)[images.layout_name(row, "release")]
    layers = [archive.Layer("everything", "", size, Descriptor(GZIP_LAYER, "", size))]
    images.check_size(tags["release"], layers, budget(shop.manifest, "release", row.hardware))


def test_the_release_holds_nothing_of_this_day(
    shop: Shop, inspected: dict[Kind, Any], tags: dict[Kind, str], tmp_path: Path
) -> None:
    """Normalising the layer that is the image's own, as the engine has it, once more changes nothing."""
    shop.engine.save(tags["release"], tmp_path / "saved.tar")
    with tarfile.open(tmp_path / "saved.tar") as saved:
        about = saved.extractfile("manifest.json")
        assert about is not None
        layer = saved.extractfile(json.load(about)[0]["Layers"][-1])
        assert layer is not None
        epoch = images.epoch_of(inspected["release"]["Created"])
        digest, _ = archive.normalise_layer(layer, io.BytesIO(), epoch)
    assert digest == inspected["release"]["RootFS"]["Layers"][-1]


def test_no_image_outgrew_its_measured_size_and_one_that_would_is_refused(
    shop: Shop, row: ImageRow, tmp_path: Path
) -> None:
    for name, size in images.measured(shop, row).items():
        layers = [archive.Layer("everything", name, size, Descriptor(GZIP_LAYER, name, size))]
        sizes.check(shop.root, name, layers)
        sizes.write(tmp_path, {name: int(size / 1.06)})
        with pytest.raises(CheckError, match=r"grew by 6\.0 %"):
            sizes.check(tmp_path, name, layers)


def test_the_layouts_hold_what_the_engine_has(shop: Shop, inspected: dict[Kind, Any], row: ImageRow) -> None:
    for kind, found in inspected.items():
        manifest = shop.layouts.manifest(images.layout_name(row, kind))
        assert manifest["config"]["digest"] == found["Id"]
