"""Noting what tests have shown, and taking such notes into the repository."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from ci import engines, evidence, images, testing
from ci.errors import UsageError
from ci.files import sha256
from ci.images import build, layout_name
from ci.shop import Shop
from ci.wheels import row_of_image
from release import generate as release_generate
from release.evidence import Evidence, read, states, write
from release.rows import ImageRow
from tests.ci.fakes import FakeEngine


def test_built_images_and_their_wheel_are_noted(shop: Shop, row: ImageRow) -> None:
    _, wheel = build(shop, row, row.kinds)
    assert wheel is not None
    evidence.note_images(shop, row, row.kinds, ["tests/images"])
    evidence.note_wheel(shop, row_of_image(shop, row), [])
    found = {one.row: one for one in read(shop.root / evidence.NOTED)}
    assert set(found) == {*(layout_name(row, kind) for kind in row.kinds), row_of_image(shop, row).tag}
    release = layout_name(row, "release")
    assert found[release].digest == shop.layouts.digest(release)
    assert found[row_of_image(shop, row).tag].digest == f"sha256:{sha256(wheel.path)}"
    known = states(shop.manifest, found.values())
    assert (known[release][0], known[row_of_image(shop, row).tag][0]) == ("built-and-run", "built")


def test_a_build_alone_is_noted_unless_tests_have_shown_more(shop: Shop, engine: FakeEngine, row: ImageRow) -> None:
    def known() -> set[str]:
        return {states(shop.manifest, read(shop.root / evidence.NOTED))[layout_name(row, "runtime")][0]}

    build(shop, row, ["runtime"])
    (written,) = evidence.note_built(shop, row, row.kinds)
    assert (written.stem, known()) == ("cpu_debian12_py311_x86_64_runtime", {"built"})
    evidence.note_images(shop, row, ["runtime"], ["tests/images"])
    assert (evidence.note_built(shop, row, row.kinds), known()) == ([], {"built-and-run"})
    (shop.root / "docker/files/mindspore-entrypoint").write_text("#!/bin/sh\n", encoding="utf-8")
    engine.layer_bytes += 1
    build(shop, row, ["runtime"])
    assert len(evidence.note_built(shop, row, row.kinds)) == 1
    assert known() == {"built"}


def test_given_evidence_is_taken_or_refused(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(evidence, "ROOT", shop.root)
    monkeypatch.setattr(release_generate, "write", lambda files: [Path("docs/matrix.md")])
    given = tmp_path / "given"
    with pytest.raises(UsageError, match="no evidence there"):
        evidence.take(given)
    tag = "cp311-cp311-manylinux_2_28_x86_64"
    one = Evidence.model_validate_json(
        f'{{"schema": 1, "row": "{tag}", "version": "2.0.0.dev0", "digest": "sha256:{"0" * 64}", "day": "2026-11-22",'
        ' "ran": true, "tests": ["tests/images"]}'
    )
    write(given, [one])
    (shop.root / "release").mkdir()
    evidence.take(given)
    assert read(shop.root / "release" / "evidence") == [one]
    assert "written: docs/matrix.md" in capsys.readouterr().err
    write(given, [one.model_copy(update={"row": "cpu/debian9/py311/x86_64:release"})])
    with pytest.raises(UsageError, match="rows that the matrix does not have"):
        evidence.take(given)


@pytest.mark.parametrize(
    ("code", "images", "paths", "noted"),
    [
        (0, True, [], True),
        (0, True, ["tests/images"], True),
        (1, True, [], False),
        (0, False, [], False),
        (0, True, ["tests/ci"], False),
    ],
)
def test_only_image_tests_that_passed_are_noted(
    code: int, images: bool, paths: list[str], noted: bool, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(testing, "prepare", lambda *_: None)
    monkeypatch.setattr(testing, "note", lambda *_: calls.append("noted"))
    monkeypatch.setattr(type(shop.runner), "show", lambda *_, **__: code)
    assert testing.test(shop.manifest, shop.runner, paths, images) == code
    assert bool(calls) is noted


@pytest.mark.parametrize(("arch", "code", "kinds"), [("x86_64", 0, 3), ("aarch64", 0, 2), ("aarch64", 1, 0)])
def test_any_row_is_built_tested_and_noted(
    shop: Shop, row: ImageRow, monkeypatch: pytest.MonkeyPatch, arch: str, code: int, kinds: int
) -> None:
    noted: list[ImageRow] = []
    asked: list[str] = []

    def show(_: object, argv: list[str], *, env: dict[str, str], **__: object) -> int:
        asked.append(env[testing.TESTED_ROW])
        return code

    wanted = row.model_copy(update={"arch": arch})
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(engines, "detect", lambda runner: shop.engine)
    monkeypatch.setattr(testing, "Shop", lambda *_: shop)
    monkeypatch.setattr(images, "build", lambda *_: ([], None))
    monkeypatch.setattr(testing, "note", lambda known, found: noted.append(found))
    monkeypatch.setattr(type(shop.runner), "show", show)
    assert testing.test_row(shop.manifest, shop.runner, wanted) == code
    assert asked == [wanted.id]
    assert [len(found.kinds) for found in noted] == ([kinds] if kinds else [])
