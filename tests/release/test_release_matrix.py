"""Rows, tags, bucket paths, and what a command's options select."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from release.errors import UsageError
from release.matrix import (
    bucket_path,
    budget,
    default_row,
    image_rows,
    index_rows,
    is_default,
    local_name,
    select,
    tag_moves,
    tags_for,
    wheel_name,
    wheel_rows,
)
from release.model import Manifest, load_manifest

NAME = "mindspore/mindspore-cpu"


def ids(manifest: Manifest, *args: str, **options: str) -> list[str]:
    return [row.id for row in select(manifest, *args, **options)]


def test_the_image_rows(manifest: Manifest) -> None:
    assert [row.id for row in image_rows(manifest)] == [
        f"cpu/{system}/{arch}"
        for system in ("debian12/py311", "ubuntu24.04/py312", "openeuler24.03/py311")
        for arch in ("x86_64", "aarch64")
    ]
    assert [row.platform for row in image_rows(manifest)][:2] == ["linux/amd64", "linux/arm64"]
    assert {row.kinds for row in image_rows(manifest)} == {("devel", "runtime", "release")}


def test_an_excluded_image_has_no_row(edited: Callable[..., Path]) -> None:
    gone = '[[image.exclude]]\nhardware = "cpu"\nos = "openeuler24.03"\narch = "aarch64"\nreason = "not bootstrapped"\n'
    rows = image_rows(load_manifest(edited(("[image.budget]", f"{gone}[image.budget]"))))
    assert len(rows) == 5
    assert "cpu/openeuler24.03/py311/aarch64" not in [row.id for row in rows]


def test_the_default_row_and_its_index(manifest: Manifest) -> None:
    row = default_row(manifest)
    assert row.id == "cpu/debian12/py311/x86_64"
    assert [other.arch for other in index_rows(manifest, row)] == ["x86_64", "aarch64"]
    assert [other.os for other in image_rows(manifest) if is_default(manifest, other)] == ["debian12", "debian12"]
    assert local_name(manifest, row) == "mindspore-cpu"


def test_the_wheel_rows(manifest: Manifest) -> None:
    rows = wheel_rows(manifest)
    assert len(rows) == 11
    assert [row.identifier for row in rows if row.platform.system == "windows"] == [
        "cp311-win_amd64",
        "cp312-win_amd64",
        "cp313-win_amd64",
    ]
    assert {row.python for row in rows if not row.tested} == {"3.14"}
    assert rows[0].tag == "cp311-cp311-manylinux_2_28_x86_64"
    assert rows[4].identifier == "cp311-manylinux_aarch64"


def test_the_default_rows_tags(manifest: Manifest) -> None:
    row = default_row(manifest)
    assert [tags_for(manifest, row, kind) for kind in row.kinds] == [
        [f"{NAME}:devel", f"{NAME}:devel-debian12-py311"],
        [f"{NAME}:runtime", f"{NAME}:runtime-debian12-py311"],
        [f"{NAME}:2.0.0.dev0", f"{NAME}:2.0.0.dev0-debian12-py311"],
    ]


def test_another_row_has_long_tags_alone(manifest: Manifest) -> None:
    (row,) = select(manifest, "cpu", os="ubuntu24.04")
    assert tags_for(manifest, row, "devel") == [f"{NAME}:devel-ubuntu24.04-py312"]
    assert tags_for(manifest, row, "release", "2.0.0") == [f"{NAME}:2.0.0-ubuntu24.04-py312"]


def test_latest_comes_with_a_final_release_of_the_default_row(manifest: Manifest) -> None:
    row = default_row(manifest)
    assert f"{NAME}:latest" in tags_for(manifest, row, "release", "2.0.0")
    assert f"{NAME}:latest" not in tags_for(manifest, row, "release", "2.0.0rc1")
    assert f"{NAME}:latest" not in tags_for(manifest, row, "runtime", "2.0.0")


def test_tags_of_old_versions_and_absent_kinds_are_refused(manifest: Manifest) -> None:
    with pytest.raises(UsageError, match=r"1\.x tags are never issued"):
        tags_for(manifest, default_row(manifest), "release", "1.9.0")
    (row,) = select(manifest, "cpu", kind="devel")
    with pytest.raises(UsageError, match="unknown kind 'runtime'"):
        tags_for(manifest, row, "runtime")


@pytest.mark.parametrize(
    ("tag", "moves"),
    [
        ("devel", True),
        ("runtime-ubuntu24.04-py312", True),
        (f"{NAME}:latest", True),
        (f"{NAME}:2.0.0.dev0", True),
        ("2.0.0rc1", False),
        (f"{NAME}:2.0.0-debian12-py311", False),
    ],
)
def test_which_tags_move(tag: str, moves: bool) -> None:
    assert tag_moves(tag) is moves


def test_where_a_wheel_lies_in_the_bucket(manifest: Manifest) -> None:
    by_tag = {row.identifier: row for row in wheel_rows(manifest)}
    assert wheel_name(by_tag["cp311-win_amd64"], "2.0.0") == "mindspore-2.0.0-cp311-cp311-win_amd64.whl"
    assert [bucket_path(by_tag["cp313-manylinux_aarch64"], version) for version in ("2.0.0rc1", "2.0.0")] == [
        "2.0.0-rc1/MindSpore/cpu/ubuntu_aarch64/mindspore-2.0.0rc1-cp313-cp313-manylinux_2_28_aarch64.whl",
        "2.0.0/MindSpore/cpu/ubuntu_aarch64/mindspore-2.0.0-cp313-cp313-manylinux_2_28_aarch64.whl",
    ]
    assert bucket_path(by_tag["cp311-win_amd64"], "2.0.0.dev0").startswith("2.0.0-dev0/MindSpore/cpu/windows_x86/")


def test_budgets(manifest: Manifest, edited: Callable[..., Path]) -> None:
    assert budget(manifest, "release") == 450_000_000
    tight = load_manifest(edited(("release = 450_000_000", "devel = 9")))
    assert (budget(tight, "devel"), budget(tight, "release")) == (9, None)


def test_what_options_select(manifest: Manifest) -> None:
    assert ids(manifest, "cpu") == ["cpu/debian12/py311/x86_64"]
    assert ids(manifest, "cpu", arch="aarch64") == ["cpu/debian12/py311/aarch64"]
    assert ids(manifest, "cpu", python="3.12") == ["cpu/ubuntu24.04/py312/x86_64"]
    assert ids(manifest, "cpu", os="openeuler24.03") == ["cpu/openeuler24.03/py311/x86_64"]
    assert len(ids(manifest, "cpu", os="all", arch="all")) == 6
    assert [row.kinds for row in select(manifest, "cpu", kind="runtime")] == [("runtime",)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"target": "gpu"}, ["unknown target 'gpu'", "expected one of: cpu", "gpu is planned: CUDA 10.1"]),
        ({"target": "ascend"}, ["expected one of: cpu", "ascend is planned: needs CANN"]),
        ({"target": "cpus"}, ["unknown target 'cpus'", "did you mean: cpu"]),
        ({"target": "tpu"}, ["unknown target 'tpu'", "expected one of: cpu"]),
        ({"os": "ubuntu"}, ["debian12, ubuntu24.04, openeuler24.03", "did you mean: ubuntu24.04"]),
        ({"arch": "amd64"}, ["expected one of: x86_64, aarch64", "did you mean: x86_64"]),
        ({"arch": "sparc"}, ["expected one of: x86_64, aarch64"]),
        ({"python": "3.13"}, ["unknown python '3.13'", "expected one of: 3.11, 3.12"]),
        ({"os": "debian12", "python": "3.12"}, ["unknown python '3.12'", "expected one of: 3.11"]),
        ({"kind": "developer"}, ["expected one of: devel, runtime, release", "did you mean: devel"]),
    ],
    ids=str,
)
def test_an_unknown_option_lists_what_there_is(manifest: Manifest, options: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        select(manifest, **{"target": "cpu"} | options)
    assert caught.value.exit_code == 2
    for word in words:
        assert word in str(caught.value)
