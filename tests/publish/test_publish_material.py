"""A release is complete or refused: each row has its artefacts, each artefact its row."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ci import oci
from ci.errors import CheckError, UsageError
from ci.publish.errors import RefusedError
from ci.publish.material import gather
from ci.publish.plan import make
from ci.trust.keys import SigningKey
from release.model import Manifest
from tests.publish.fixtures import SCOPE, VERSION, WHEEL, attest, write_image, write_wheel

RELEASE_IMAGE = "images/cpu_debian12_py311_x86_64_release"


@pytest.fixture
def own(folder: Path, tmp_path: Path) -> Path:
    """A copy of the release's folder that a test may break."""
    return Path(shutil.copytree(folder, tmp_path / "own"))


def test_equal_material_gives_an_equal_plan(manifest: Manifest, folder: Path, own: Path) -> None:
    plans = [make(gather(manifest, VERSION, where, SCOPE), "store", "registry") for where in (folder, own)]
    assert plans[0].digest == plans[1].digest
    other = make(gather(manifest, VERSION, own, SCOPE), "another store", "registry")
    assert other.digest != plans[0].digest


def test_the_whole_manifest_is_asked_for_unless_rows_are_named(manifest: Manifest, folder: Path) -> None:
    with pytest.raises(RefusedError, match=f"the release {VERSION} is not complete") as refusal:
        gather(manifest, VERSION, folder)
    assert "cpu/ubuntu24.04/py312/x86_64:devel has no images/cpu_ubuntu24.04_py312_x86_64_devel" in str(refusal.value)
    assert "cp313-cp313-manylinux_2_28_x86_64 has no wheels/" in str(refusal.value)


def test_a_final_release_is_never_partial(manifest: Manifest, folder: Path) -> None:
    with pytest.raises(RefusedError, match="a final release has every row"):
        gather(manifest, "2.0.0", folder, SCOPE)


def test_unknown_rows_are_named(manifest: Manifest, folder: Path) -> None:
    with pytest.raises(UsageError, match="cpu/beos/py311/x86_64"):
        gather(manifest, VERSION, folder, [*SCOPE, "cpu/beos/py311/x86_64"])


def _other_wheel(own: Path, manifest: Manifest, key: SigningKey) -> None:
    row = next(row for row in manifest.wheel_rows() if row.python == "3.12")
    write_wheel(own, row)


def _damaged_wheel(own: Path, manifest: Manifest, key: SigningKey) -> None:
    next((own / "wheels").glob("*.whl")).write_bytes(b"no zip file")


def _renamed_wheel(own: Path, manifest: Manifest, key: SigningKey) -> None:
    row = next(row for row in manifest.wheel_rows() if row.tag == WHEEL)
    wheel = next((own / "wheels").glob("*.whl"))
    write_wheel(own, row, "2.0.0rc9").replace(wheel)
    attest(own, key)


def _foreign_image(own: Path, manifest: Manifest, key: SigningKey) -> None:
    shutil.rmtree(own / RELEASE_IMAGE)
    shutil.copytree(own / RELEASE_IMAGE.replace("py311_x86_64", "py311_aarch64"), own / RELEASE_IMAGE)


def _old_image(own: Path, manifest: Manifest, key: SigningKey) -> None:
    shutil.rmtree(own / RELEASE_IMAGE)
    row = next(row for row in manifest.image_rows() if row.id == "cpu/debian12/py311/x86_64")
    write_image(own, row, "release", "2.0.0rc0")


def _damaged_layer(own: Path, manifest: Manifest, key: SigningKey) -> None:
    layout = oci.Layout(own / RELEASE_IMAGE)
    layout.blob(layout.image().layers[0].digest).write_bytes(b"evil")


def _unsigned(own: Path, manifest: Manifest, key: SigningKey) -> None:
    next((own / "attestations").glob("*.sbom.json")).unlink()


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (_other_wheel, "cp312-cp312-manylinux_2_28_x86_64.whl belongs to no row"),
        (_damaged_wheel, "not a wheel of this version"),
        (_renamed_wheel, "not a wheel of this version"),
        (_foreign_image, "an image belongs to another row"),
        (_old_image, "expected: org.opencontainers.image.version 2.0.0rc1"),
        (_damaged_layer, "a layer is damaged"),
        (_unsigned, "has unsigned parts"),
    ],
)
def test_what_is_not_as_it_should_be_is_refused(
    own: Path,
    manifest: Manifest,
    key: SigningKey,
    break_it: Callable[[Path, Manifest, SigningKey], None],
    message: str,
) -> None:
    break_it(own, manifest, key)
    with pytest.raises(CheckError) as refusal:
        gather(manifest, VERSION, own, SCOPE)
    assert message in str(refusal.value)
    assert refusal.value.exit_code == 1
