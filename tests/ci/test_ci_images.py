"""Images are built from each other, once per state of their inputs, and never get a tag that they should not have."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import replace

import pytest

from ci import archive, images, sizes
from ci.engine import BuildRequest
from ci.errors import CheckError, ProjectFileError
from ci.oci import GZIP_LAYER, Descriptor
from ci.shop import Shop, labels_of
from release.rows import ImageRow
from tests.ci.fakes import FakeEngine, FakeRunner

DEVEL, RUNTIME = "mindspore/mindspore-cpu:devel", "mindspore/mindspore-cpu:runtime"


def test_a_first_build_makes_wheel_and_images_and_tags_them(shop: Shop, engine: FakeEngine, row: ImageRow) -> None:
    made, wheel = images.build(shop, row, row.kinds)
    assert [image.state for image in made] == ["built"] * 3
    assert wheel is not None
    assert wheel.path.exists()
    version = shop.manifest.current.text
    for tag in (DEVEL, RUNTIME, f"mindspore/mindspore-cpu:{version}", "mindspore-cpu:latest"):
        assert tag in engine.images
    assert not [tag for tag in engine.images if tag.startswith("mindspore-build")]
    assert engine.builds[-1].arguments == {"RUNTIME": RUNTIME}


def test_a_second_build_does_no_work_at_all(shop: Shop, runner: FakeRunner, row: ImageRow) -> None:
    images.build(shop, row, row.kinds)
    assert runner.work.as_dict() == {"compilers": 1, "engine_builds": 3, "downloads": 5}
    again = FakeRunner(runner.logs, runner.programs)
    engine = shop.engine
    assert isinstance(engine, FakeEngine)
    engine.runner = again
    made, wheel = images.build(Shop(engine, again, shop.manifest, shop.root), row, row.kinds)
    assert [image.state for image in made] == ["unchanged"] * 3
    assert wheel is not None
    assert wheel.state == "unchanged"
    assert again.work.as_dict() == {"compilers": 0, "engine_builds": 0, "downloads": 0}
    assert again.commands == []


def test_a_changed_source_rebuilds_wheel_and_release_alone(shop: Shop, row: ImageRow) -> None:
    images.build(shop, row, row.kinds)
    (shop.root / "framework/mindspore/__init__.py").write_text("x = 1\n", encoding="utf-8")
    made, wheel = images.build(shop, row, row.kinds)
    assert [image.state for image in made] == ["unchanged", "unchanged", "unchanged"]
    assert wheel is not None
    assert wheel.state == "built"  # the fake build gives the same bytes, so the release image stays as it is


def test_a_changed_dockerfile_rebuilds_its_image_and_those_above(shop: Shop, row: ImageRow) -> None:
    images.build(shop, row, row.kinds)
    dockerfile = shop.root / "docker/cpu/generated" / row.os / "Dockerfile.runtime"
    dockerfile.write_text(dockerfile.read_text(encoding="utf-8") + "# more\n", encoding="utf-8")
    made, _ = images.build(shop, row, row.kinds)
    assert [(image.kind, image.state) for image in made][:2] == [("devel", "unchanged"), ("runtime", "built")]


def test_the_runtime_image_needs_no_wheel(shop: Shop, engine: FakeEngine, row: ImageRow) -> None:
    made, wheel = images.build(shop, row, ["runtime"])
    assert (wheel, [image.kind for image in made]) == (None, ["runtime"])
    assert DEVEL not in engine.images


@pytest.mark.parametrize("mask", [0o022, 0o002, 0o077])
def test_what_is_copied_into_images_has_one_mode_everywhere(
    shop: Shop, engine: FakeEngine, row: ImageRow, mask: int
) -> None:
    """The umask of the machine that builds is no input."""
    modes: dict[str, int] = {}
    build = engine.build

    def note(request: BuildRequest) -> None:
        for path in request.context.rglob("*"):
            modes[str(path.relative_to(request.context))] = path.stat().st_mode & 0o777
        build(request)

    engine.build = note  # type: ignore[method-assign]
    before = os.umask(mask)
    try:
        images.build(shop, row, ["runtime"])
    finally:
        os.umask(before)
    programs = {"files/mindspore-entrypoint", "files/mindspore-phase"}
    assert {name for name, mode in modes.items() if mode == 0o755} == {
        *programs,
        "files",
        "share",
        "wheelhouse",
        "packages",
    }
    assert {mode for name, mode in modes.items() if "." in name or name == "share/branch"} == {0o644}
    assert programs < set(modes)


def test_labels_say_what_the_image_is(shop: Shop, engine: FakeEngine, row: ImageRow) -> None:
    images.build(shop, row, ["runtime"])
    labels = labels_of(engine.images[RUNTIME])
    assert labels["org.opencontainers.image.version"] == shop.manifest.current.text
    assert labels["org.opencontainers.image.base.name"] == "mindspore-base:debian12-x86_64"
    assert labels[images.ROW_LABEL] == row.id


def test_an_image_over_its_budget_gets_no_tag(shop: Shop, engine: FakeEngine, row: ImageRow) -> None:
    images.build(shop, row, ["runtime"])
    limit = shop.manifest.image.budget.release
    assert limit is not None
    layers = [
        archive.Layer(
            "COPY everything", "sha256:" + "a" * 64, limit + 1, Descriptor(GZIP_LAYER, "sha256:" + "b" * 64, 1)
        )
    ]
    with pytest.raises(CheckError, match="is too big") as caught:
        images.check_size("mindspore-cpu", layers, limit)
    assert "COPY everything" in str(caught.value)
    images.check_size("mindspore-cpu", layers, None)


def test_a_failed_build_leaves_neither_image_nor_context(shop: Shop, engine: FakeEngine, row: ImageRow) -> None:
    def fail(reference: str, path: object) -> None:
        raise OSError("disk full")

    engine.save = fail  # type: ignore[method-assign]
    with pytest.raises(OSError, match="disk full"):
        images.build(shop, row, ["runtime"])
    assert RUNTIME not in engine.images
    assert not [tag for tag in engine.images if tag.startswith("mindspore-build")]
    assert not [path for path in (shop.root / "build").iterdir() if path.name.startswith(("context-", "image-"))]


def test_one_kind_is_built_with_what_it_stands_on(shop: Shop, engine: FakeEngine, row: ImageRow) -> None:
    (made,), wheel = images.build(shop, row.model_copy(update={"kinds": ("release",)}), ["release"])
    assert (made.kind, wheel is not None) == ("release", True)
    assert RUNTIME in engine.images


def test_a_locked_image_is_built_without_network(shop: Shop, engine: FakeEngine, row: ImageRow) -> None:
    images.build(shop, row, row.kinds)
    assert {request.network for request in engine.builds} == {"none"}
    other = next(found for found in shop.manifest.image_rows() if found.os == "ubuntu24.04" and found.arch == row.arch)
    engine.registry.add("ubuntu:noble")
    images.build(shop, other, ["runtime"])
    assert engine.builds[-1].network == "host"


def test_images_stand_ready_to_be_published(shop: Shop, engine: FakeEngine, row: ImageRow) -> None:
    made, _ = images.build(shop, row, row.kinds)
    for image in made:
        name = images.layout_name(row, image.kind)
        assert shop.layouts.digest(name) == image.manifest
        assert shop.layouts.manifest(name)["config"]["digest"] == image.digest
    held = {blob["digest"] for blob in shop.layouts.manifest(images.layout_name(row, "release"))["layers"]}
    assert all(shop.layouts.path(blob).exists() for blob in held)


def test_a_lost_layout_is_written_anew_without_a_build(shop: Shop, engine: FakeEngine, row: ImageRow) -> None:
    (first,), _ = images.build(shop, row, ["runtime"])
    shutil.rmtree(shop.layouts.root)
    (second,), _ = images.build(shop, row, ["runtime"])
    assert (second.state, len(engine.builds)) == ("unchanged", 1)
    assert shop.layouts.digest(images.layout_name(row, "runtime")) == second.manifest
    assert first.manifest.startswith("sha256:")


def test_another_engine_is_given_what_was_built(shop: Shop, engine: FakeEngine, row: ImageRow) -> None:
    made, _ = images.build(shop, row, row.kinds)
    other = FakeEngine(shop.runner)
    again, _ = images.build(replace(shop, engine=other), row, row.kinds)
    assert ({image.state for image in again}, other.builds) == ({"unchanged"}, [])
    assert [image.digest for image in again] == [image.digest for image in made]
    assert set(other.images) == set(engine.images)
    (shop.root / images.FILES / "mindspore-entrypoint").write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    changed, _ = images.build(replace(shop, engine=FakeEngine(shop.runner)), row, ["runtime"])
    assert changed[0].state == "built"


def test_a_foreign_image_has_its_machine_in_its_tag(shop: Shop, row: ImageRow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    foreign = row.model_copy(update={"arch": "aarch64"})
    assert images.all_tags(shop, foreign, "devel") == ("mindspore/mindspore-cpu:devel-debian12-py311-aarch64",)


def test_a_size_that_nobody_agreed_to_is_refused(shop: Shop, engine: FakeEngine, row: ImageRow) -> None:
    (made,), _ = images.build(shop, row, ["runtime"])
    name = images.layout_name(row, "runtime")
    found = images.measured(shop, row)
    assert set(found) == {name}
    sizes.write(shop.root, found)
    assert sizes.read(shop.root)[name] == found[name]
    engine.images.pop(made.tags[0])
    shop.layouts.drop(name)
    engine.layer_bytes = found[name] * 106 // 100
    with pytest.raises(CheckError, match=r"grew by \d+\.\d %") as caught:
        images.build(shop, row, ["runtime"])
    assert "COPY everything" in str(caught.value)
    assert "image.measure" in caught.value.fix
    assert made.tags[0] not in engine.images
    assert not shop.layouts.has(name)
    engine.layer_bytes = 1000
    assert images.build(shop, row, ["runtime"])[0][0].state == "built"


def test_sizes_of_other_images_stay(shop: Shop) -> None:
    sizes.write(shop.root, {"a:release": 1_000})
    sizes.write(shop.root, {"b:release": 2_000_000})
    assert sizes.read(shop.root) == {"a:release": 1000, "b:release": 2_000_000}
    (shop.root / sizes.PATH).write_text("a: 1", encoding="utf-8")
    with pytest.raises(ProjectFileError, match="cannot be read"):
        sizes.read(shop.root)
