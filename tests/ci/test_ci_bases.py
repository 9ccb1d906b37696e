"""Base images: made of locked packages where there is a lock, else pulled or bootstrapped, and kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci import bases
from ci.engine import Result
from ci.errors import CommandError, NoBaseError
from ci.shop import INPUTS_LABEL, Shop
from release.rows import ImageRow
from tests.ci.fakes import FakeEngine, FakeRunner


@pytest.fixture
def unlocked(shop: Shop) -> ImageRow:
    """A row whose system is not locked, and can be bootstrapped."""
    return next(row for row in shop.manifest.image_rows() if row.os == "ubuntu24.04")


def test_a_locked_base_is_made_of_its_packages_alone(shop: Shop, engine: FakeEngine, row: ImageRow) -> None:
    engine.registry.add("debian:bookworm-slim")
    base = bases.ensure_base(shop, row)
    assert (base.origin, base.tag) == ("bootstrapped", "mindspore-base:debian12-x86_64")
    runner = shop.runner
    assert isinstance(runner, FakeRunner)
    command = next(words for words in runner.commands if words[0] == "mmdebstrap")
    assert command[-1].startswith("deb [trusted=yes] copy:///")
    assert runner.work.as_dict() == {"compilers": 0, "engine_builds": 0, "downloads": 1}
    assert shop.layouts.config(base.tag)["created"] == "2023-11-14T22:13:20Z"


def test_a_locked_base_stays_until_the_lock_changes(shop: Shop, engine: FakeEngine, row: ImageRow) -> None:
    bases.ensure_base(shop, row)
    assert bases.ensure_base(shop, row).origin == "present"
    before = engine.images[bases.local_tag(row)]["Config"]["Labels"][INPUTS_LABEL]
    lock = shop.root / "docker/locks/debian12.toml"
    lock.write_text(lock.read_text(encoding="utf-8").replace("20231114T", "20231115T"), encoding="utf-8")
    assert bases.ensure_base(shop, row).origin == "bootstrapped"
    assert engine.images[bases.local_tag(row)]["Config"]["Labels"][INPUTS_LABEL] != before


def test_a_base_knows_its_machine(shop: Shop, row: ImageRow) -> None:
    other = row.model_copy(update={"arch": "aarch64"})
    bases.ensure_base(shop, other)
    assert shop.layouts.config(bases.local_tag(other))["architecture"] == "arm64"


def test_an_unlocked_base_is_pulled_where_a_registry_answers(
    shop: Shop, engine: FakeEngine, unlocked: ImageRow
) -> None:
    engine.registry.add("ubuntu:noble")
    assert [bases.ensure_base(shop, unlocked).origin for _ in range(2)] == ["pulled", "present"]


def test_a_bootstrapped_base_is_kept(shop: Shop, engine: FakeEngine, row: ImageRow) -> None:
    first = bases.ensure_base(shop, row)
    engine.images.clear()
    second = bases.ensure_base(shop, row)
    assert (first.origin, second.origin) == ("bootstrapped", "cached")
    assert first.digest == second.digest


def test_a_damaged_base_is_made_anew(shop: Shop, engine: FakeEngine, row: ImageRow, tmp_path: Path) -> None:
    bases.ensure_base(shop, row)
    engine.images.clear()
    next((tmp_path / "cache").rglob("*.tar")).write_bytes(b"half")
    assert bases.ensure_base(shop, row).origin == "bootstrapped"


def test_a_base_that_cannot_be_made_says_why(shop: Shop, runner: FakeRunner, row: ImageRow, unlocked: ImageRow) -> None:
    def fail(argv: list[str]) -> Result:
        raise CommandError(argv, 1, "no space on the device")

    runner.effects["mmdebstrap"] = fail
    with pytest.raises(NoBaseError, match="could not be bootstrapped") as caught:
        bases.ensure_base(shop, row)
    assert "no space" in caught.value.got
    runner.programs.clear()
    with pytest.raises(NoBaseError, match="no registry answers"):
        bases.ensure_base(shop, unlocked)
    other = next(known for known in shop.manifest.image_rows() if known.os.startswith("openeuler"))
    with pytest.raises(NoBaseError, match="openeuler"):
        bases.ensure_base(shop, other)
