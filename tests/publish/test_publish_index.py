"""One index over the images of a variant, in a real registry, from which each machine takes its own."""

from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path

import pytest

from ci import archive, indexes
from ci.engine import Runner
from ci.errors import CheckError, UsageError
from ci.images import layout_name
from ci.publish.registry import Registry
from ci.shop import Shop
from ci.testing import HostOnly
from release.matrix import default_row, index_rows
from release.model import Manifest
from release.rows import OCI_ARCH, ImageRow

MACHINES = {"x86_64": 62, "aarch64": 183}


@pytest.fixture
def row(manifest: Manifest) -> ImageRow:
    return default_row(manifest)


@pytest.fixture
def shop(tmp_path: Path, manifest: Manifest) -> Shop:
    return Shop(HostOnly(), Runner(tmp_path / "logs"), manifest, tmp_path)  # type: ignore[arg-type]


def _build(shop: Shop, row: ImageRow, machine: int, folder: Path) -> None:
    """An image whose only file is the head of a shell for `machine`."""
    shell = folder / "dash"
    shell.write_bytes(b"\x7fELF" + bytes(14) + machine.to_bytes(2, "little"))
    with tarfile.open(folder / "root.tar", "w") as tar:
        tar.add(shell, "usr/bin/dash")
    archive.from_rootfs(folder / "root.tar", shop.layouts, layout_name(row, "release"), OCI_ARCH[row.arch], {}, 0)


def test_each_machine_pulls_its_own_image_from_the_index(
    shop: Shop, row: ImageRow, manifest: Manifest, tmp_path: Path, registry_url: str
) -> None:
    rows = index_rows(manifest, row)
    for other in rows:
        _build(shop, other, MACHINES[other.arch], tmp_path)
    made = indexes.join(shop, row, "release")
    assert made.tags == ("2.0.0.dev0", "2.0.0.dev0-debian12-py311")
    registry = Registry(registry_url, None)
    for _ in range(2):  # the second time everything is there
        references = indexes.push(shop.layouts, made, registry)
    assert references == [f"{registry.host}/mindspore/mindspore-cpu:{tag}" for tag in made.tags]
    found = registry.manifest(made.repository, made.tags[0])
    assert found is not None
    assert found.digest == made.digest == shop.layouts.digest("cpu/debian12/py311:release")
    if shutil.which("skopeo") is None:
        pytest.skip("skopeo is not installed")
    for other in rows:
        platform = ["--override-os=linux", f"--override-arch={OCI_ARCH[other.arch]}"]
        copied = tmp_path / f"pulled-{other.arch}"
        command = ["skopeo", *platform, "copy", "--quiet", "--src-tls-verify=false", f"docker://{references[0]}"]
        shop.runner.run([*command, f"oci:{copied}"])
        (entry,) = json.loads((copied / "index.json").read_bytes())["manifests"]
        assert entry["digest"] == made.members[other.platform] == shop.layouts.digest(layout_name(other, "release"))


def test_an_index_lacks_no_architecture_and_names_none_wrongly(
    shop: Shop, row: ImageRow, manifest: Manifest, tmp_path: Path
) -> None:
    native, foreign = index_rows(manifest, row)
    _build(shop, native, MACHINES[native.arch], tmp_path)
    with pytest.raises(UsageError, match="every architecture") as caught:
        indexes.join(shop, row, "release")
    assert caught.value.got == "none for aarch64"
    assert "--arch aarch64 --kind release" in caught.value.fix
    _build(shop, foreign, MACHINES[native.arch], tmp_path)
    with pytest.raises(CheckError, match="names the wrong machine"):
        indexes.join(shop, row, "release")
