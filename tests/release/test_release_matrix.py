"""Rows, tags, bucket paths, and what a command's options select."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from release.errors import UsageError
from release.lifecycle import check
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
    rows = [row.id for row in image_rows(manifest)]
    systems = ["debian12/py311", "debian13/py313", "ubuntu24.04/py312", "openeuler24.03/py311"]
    systems += ["centos9/py312", "centos10/py312"]
    arches = ("x86_64", "aarch64")
    assert rows[:12] == [f"cpu/{system}/{arch}" for system in systems for arch in arches]
    assert rows[-12:] == [f"ascend/{system}/cann8/{arch}" for system in systems for arch in arches]
    assert [row.platform for row in image_rows(manifest)][:2] == ["linux/amd64", "linux/arm64"]
    assert {row.kinds for row in image_rows(manifest)} == {("devel", "runtime", "release")}


def test_gpu_rows_have_a_cuda_each(manifest: Manifest) -> None:
    rows = [row for row in image_rows(manifest) if row.hardware == "gpu"]
    assert [row.variant for row in index_rows(manifest, rows[-1])] == ["gpu/centos10/py312/cuda13"] * 2
    assert {row.stack for row in rows} == {"cuda12", "cuda13"}
    assert "gpu/ubuntu24.04/py312/cuda13/aarch64" in [row.id for row in rows]
    for item in manifest.image.exclude:
        assert not any(item.covers(row) for row in rows)


def test_an_excluded_image_has_no_row(edited: Callable[..., Path]) -> None:
    gone = '[[image.exclude]]\nhardware = "cpu"\nos = "openeuler24.03"\narch = "aarch64"\nreason = "not bootstrapped"\n'
    rows = [row.id for row in image_rows(load_manifest(edited(("[image.budget]", f"{gone}[image.budget]"))))]
    assert "cpu/openeuler24.03/py311/aarch64" not in rows
    assert "cpu/openeuler24.03/py311/x86_64" in rows


def test_a_row_leaves_the_matrix_on_the_day_of_its_drop(manifest: Manifest, edited: Callable[..., Path]) -> None:
    def systems(day: str) -> set[str]:
        later = load_manifest(edited(("docs_as_of = 2026-11-22", f"docs_as_of = {day}")))
        assert check(later, later.project.docs_as_of) == []
        return {row.os for row in image_rows(later)}

    everything = {row.os for row in image_rows(manifest)}
    assert systems("2027-02-22") == everything
    assert "centos9" in everything
    late = edited(("docs_as_of = 2026-11-22", "docs_as_of = 2027-05-31"))
    assert {row.os for row in image_rows(load_manifest(late))} == everything - {"centos9"}
    subjects = [problem.subject for problem in check(load_manifest(late), date(2028, 6, 30))]
    assert "os centos9" not in subjects


def test_a_wheel_leaves_with_its_python(edited: Callable[..., Path]) -> None:
    later = edited(("docs_as_of = 2026-11-22", "docs_as_of = 2027-05-01"), ("on = 2027-10-31", "on = 2027-04-30"))
    assert {row.python for row in wheel_rows(load_manifest(later))} == {"3.12", "3.13", "3.14"}


def test_the_default_row_and_its_index(manifest: Manifest) -> None:
    row = default_row(manifest)
    assert row.id == "cpu/debian12/py311/x86_64"
    assert [other.arch for other in index_rows(manifest, row)] == ["x86_64", "aarch64"]
    assert [other.id for other in image_rows(manifest) if is_default(manifest, other)] == [
        "cpu/debian12/py311/x86_64",
        "cpu/debian12/py311/aarch64",
        "gpu/debian12/py311/cuda12/x86_64",
        "ascend/ubuntu24.04/py312/cann8/x86_64",
        "ascend/ubuntu24.04/py312/cann8/aarch64",
    ]
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


def test_a_stack_stands_in_the_long_tags(manifest: Manifest) -> None:
    row = default_row(manifest, "gpu")
    name = "mindspore/mindspore-gpu"
    assert tags_for(manifest, row, "runtime") == [f"{name}:runtime", f"{name}:runtime-debian12-py311-cuda12"]


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
    assert ids(manifest, "cpu", python="3.13") == ["cpu/debian13/py313/x86_64"]
    assert ids(manifest, "gpu") == ["gpu/debian12/py311/cuda12/x86_64"]
    assert ids(manifest, "gpu", stack="cuda13", os="ubuntu24.04") == ["gpu/ubuntu24.04/py312/cuda13/x86_64"]
    assert ids(manifest, "gpu", arch="aarch64", os="centos9", stack="all") == [
        "gpu/centos9/py312/cuda12/aarch64",
        "gpu/centos9/py312/cuda13/aarch64",
    ]
    assert ids(manifest, "cpu", os="openeuler24.03") == ["cpu/openeuler24.03/py311/x86_64"]
    assert len(ids(manifest, "cpu", os="all", arch="all")) == 12
    assert [row.kinds for row in select(manifest, "cpu", kind="runtime")] == [("runtime",)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"target": "cuda"}, ["unknown target 'cuda'", "expected one of: cpu, gpu, ascend", "did you mean: gpu"]),
        ({"target": "cpus"}, ["unknown target 'cpus'", "did you mean: cpu"]),
        ({"target": "tpu"}, ["unknown target 'tpu'", "expected one of: cpu, gpu, ascend"]),
        ({"stack": "cuda13"}, ["unknown stack 'cuda13'", "expected one of: none"]),
        ({"target": "gpu", "stack": "cuda10"}, ["expected one of: cuda12, cuda13", "did you mean: cuda1"]),
        ({"os": "ubuntu"}, ["debian12, debian13, ubuntu24.04, openeuler24.03", "did you mean: ubuntu24.04"]),
        ({"arch": "amd64"}, ["expected one of: x86_64, aarch64", "did you mean: x86_64"]),
        ({"arch": "sparc"}, ["expected one of: x86_64, aarch64"]),
        ({"python": "3.14"}, ["unknown python '3.14'", "expected one of: 3.11, 3.13, 3.12"]),
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
