"""Images are built from each other, once per state of their inputs, and never get a tag that they should not have."""

from __future__ import annotations

import json

import pytest

from ci import archive, images
from ci.errors import CheckError
from ci.shop import Shop
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
    assert runner.work.as_dict() == {"compilers": 1, "engine_builds": 3, "downloads": 4}
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


def test_labels_say_what_the_image_is(shop: Shop, engine: FakeEngine, row: ImageRow) -> None:
    images.build(shop, row, ["runtime"])
    labels = images.labels_of(engine.images[RUNTIME])
    assert labels["org.opencontainers.image.version"] == shop.manifest.current.text
    assert labels["org.opencontainers.image.base.name"] == "mindspore-base:debian12-x86_64"
    assert labels[images.ROW_LABEL] == row.id


def test_an_image_over_its_budget_gets_no_tag(shop: Shop, engine: FakeEngine, row: ImageRow) -> None:
    images.build(shop, row, ["runtime"])
    limit = shop.manifest.image.budget.release
    assert limit is not None
    layers = [archive.Layer("COPY everything", "sha256:" + "a" * 64, limit + 1)]
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


def test_the_layers_are_noted_for_people(shop: Shop, row: ImageRow) -> None:
    images.build(shop, row, ["runtime"])
    notes = list((shop.root / "build/layers").glob("*runtime*.json"))
    assert json.loads(notes[0].read_text(encoding="utf-8"))[0]["command"] == "COPY everything"
