"""The matrix as include lists: complete, within the limit, and trimmed to what a change touches."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release.errors import ReleaseError
from release.model import Manifest, load_manifest
from release.rows import Arch, ImageRow
from release.shards import IDLE, LIMIT, RUNNERS, image_shards, matrix, touched_by, wheel_shards


def touched(manifest: Manifest, *paths: str, before: Manifest | None = None) -> set[str]:
    found = matrix(manifest, touched_by(paths, manifest, before))
    images = {row for job in found["images"]["include"] for row in job["rows"]}
    return images | {job["shard"] for job in found["wheels"]["include"]}


def everything(manifest: Manifest) -> set[str]:
    return {row.id for row in manifest.image_rows()} | {row.tag for row in manifest.wheel_rows()}


def test_every_row_is_in_one_job(manifest: Manifest) -> None:
    found = matrix(manifest)
    rows = [row for job in found["images"]["include"] for row in job["rows"]]
    assert sorted(rows) == sorted(row.id for row in manifest.image_rows())
    assert [job["shard"] for job in found["wheels"]["include"]] == [row.tag for row in manifest.wheel_rows()]
    assert json.loads(json.dumps(found)) == json.loads(json.dumps(matrix(manifest)))


def test_a_job_holds_what_stands_on_one_base(manifest: Manifest) -> None:
    shards = {shard.shard: shard for shard in image_shards(manifest.image_rows())}
    assert shards["debian12-x86_64"].rows == (
        "cpu/debian12/py311/x86_64",
        "gpu/debian12/py311/cuda12/x86_64",
        "gpu/debian12/py311/cuda13/x86_64",
        "ascend/debian12/py311/cann8/x86_64",
    )
    assert shards["debian12-aarch64"].runner == RUNNERS["aarch64"]
    wheels = {shard.shard: shard for shard in wheel_shards(manifest.wheel_rows())}
    assert wheels["cp311-cp311-win_amd64"].runner == RUNNERS["windows"]
    assert {shard.python for shard in wheels.values() if not shard.experimental} == {"3.11", "3.12", "3.13"}


@given(st.integers(0, 400), st.integers(0, 400))
@settings(max_examples=25, deadline=None)
def test_jobs_stay_within_the_limit_and_lose_no_row(x86: int, arm: int) -> None:
    rows = [
        ImageRow(hardware="cpu", os=f"os{number}", python="3.11", arch=arch, kinds=("devel",))
        for arch, count in zip(get_args(Arch), (x86, arm), strict=True)
        for number in range(count)
    ]
    shards = image_shards(rows)
    assert len(shards) <= LIMIT
    assert sorted(row for shard in shards for row in shard.rows) == sorted(row.id for row in rows)
    assert all(row.endswith(shard.arch) for shard in shards for row in shard.rows)
    assert len({shard.shard for shard in shards}) == len(shards)


def test_too_many_wheels_are_refused(manifest: Manifest) -> None:
    with pytest.raises(ReleaseError, match="too many wheels"):
        wheel_shards(manifest.wheel_rows() * 30)


@pytest.mark.parametrize("path", ["docs/branches.md", "RELEASE.md", "tests/ci/x.py", "release/lifecycle.json"])
def test_what_no_image_or_wheel_holds_touches_none(manifest: Manifest, path: str) -> None:
    assert touched(manifest, path) == set()


@pytest.mark.parametrize(
    "path", ["framework/mindspore/__init__.py", "README.md", "pyproject.toml", "ci/images.py", "new/unknown.x"]
)
def test_sources_and_what_nobody_knows_touch_all(manifest: Manifest, path: str) -> None:
    assert touched(manifest, "docs/modes.md", path) == everything(manifest)


def test_parts_of_the_images_touch_their_rows(manifest: Manifest) -> None:
    rows = everything(manifest)
    assert touched(manifest, "docker/cpu/generated/debian13/Dockerfile.devel") == {
        "cpu/debian13/py313/x86_64",
        "cpu/debian13/py313/aarch64",
    }
    cuda = touched(manifest, "docker/gpu/generated/ubuntu24.04-cuda13/Dockerfile.runtime")
    assert cuda == {row for row in rows if row.startswith("gpu/ubuntu24.04/py312/cuda13")}
    assert touched(manifest, "docker/ascend/Dockerfile.j2") == {r for r in rows if "ascend" in r}
    locked = touched(manifest, "docker/cpu/locks/py313-aarch64.devel.txt")
    assert "cpu/debian13/py313/aarch64" in locked
    assert "cp313-cp313-manylinux_2_28_aarch64" in locked
    assert not any("x86_64" in row or "py312" in row for row in locked)


def test_a_changed_manifest_touches_the_rows_that_it_changes(manifest: Manifest, edited: Callable[..., Path]) -> None:
    def changed(*edits: tuple[str, str]) -> set[str]:
        return touched(manifest, "release/manifest.toml", before=load_manifest(edited(*edits)))

    assert changed(("estimated = 2027-02-22", "estimated = 2027-02-21")) == set()
    assert changed(("date = 2028-06-30", "date = 2028-06-29")) == set()
    assert changed(('suite = "trixie"', 'suite = "sid"')) == {r for r in everything(manifest) if "debian13" in r}
    assert changed(('version = "13.0"', 'version = "13.1"')) == {r for r in everything(manifest) if "cuda13" in r}
    assert changed(('current = "2.0.0.dev0"', 'current = "2.0.0.dev1"')) == everything(manifest)
    gone = ('os = ["debian12", "debian13", ', 'os = ["debian12", ')
    exclusions = '[[image.exclude]]\nhardware = "gpu"\nos = "debian13"\n'
    first = (
        f'{exclusions}arch = "aarch64"\nreason = "aarch64 hosts',
        '[[image.exclude]]\nhardware = "gpu"\nos = "openeuler24.03"\nstack = "cuda12"\nreason = "aarch64 hosts',
    )
    second = (
        f'{exclusions}stack = "cuda12"',
        '[[image.exclude]]\nhardware = "gpu"\nos = "openeuler24.03"\nstack = "cuda13"',
    )
    assert changed(gone, first, second) == {r for r in everything(manifest) if "debian13" in r}
    assert touched(manifest, "release/manifest.toml", before=None) == everything(manifest)


def test_what_is_idle_exists() -> None:
    root = Path(__file__).resolve().parents[2]
    assert [name for name in IDLE if not list(root.glob(name))] == []
