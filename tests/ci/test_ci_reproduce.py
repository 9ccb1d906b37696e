"""A second build from nothing: apart from the first, without caches, compared by digest."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ci import images, reproduce
from ci.engine import BuildRequest
from ci.errors import CheckError, UsageError
from ci.shop import Shop
from release.rows import ImageRow
from tests.ci.fakes import FakeEngine, FakeRunner


def _commit(root: Path) -> None:
    (root / ".gitignore").write_text("/build/\n/dist/\n", encoding="utf-8")
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-q", "-m", "all"]):
        subprocess.run(["git", "-C", str(root), *words], check=True)


def test_equal_inputs_give_equal_digests(shop: Shop, engine: FakeEngine, row: ImageRow) -> None:
    _commit(shop.root)
    pairs = reproduce.reproduce(shop, row)
    assert [pair.name for pair in pairs[:3]] == [images.layout_name(row, kind) for kind in row.kinds]
    assert pairs[3].name.endswith(".whl")
    assert all(pair.equal for pair in pairs)
    reproduce.check(pairs)
    assert [request.fresh for request in engine.builds] == [False] * 3 + [True] * 3
    assert not [tag for tag in engine.images if tag.startswith(reproduce.SPACE)]
    assert "mindspore/mindspore-cpu:devel" in engine.images


def test_the_second_build_takes_nothing_from_the_first(shop: Shop, runner: FakeRunner, row: ImageRow) -> None:
    _commit(shop.root)
    reproduce.reproduce(shop, row)
    bootstraps = [words for words in runner.commands if words[0] == "mmdebstrap"]
    assert len(bootstraps) == 2
    assert runner.work.compilers == 2


def test_the_second_build_has_other_habits_and_the_machine_keeps_its_own(
    shop: Shop, engine: FakeEngine, row: ImageRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    _commit(shop.root)
    build, seen = engine.build, []

    def note(request: BuildRequest) -> None:
        seen.append((_umask(), os.environ["TZ"]))
        build(request)

    engine.build = note  # type: ignore[method-assign]
    before = _umask()
    reproduce.reproduce(shop, row)
    assert seen == [(before, "UTC")] * 3 + [(0o002, "Pacific/Kiritimati")] * 3
    assert (_umask(), os.environ["TZ"]) == (before, "UTC")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_difference_is_named(shop: Shop, engine: FakeEngine, row: ImageRow) -> None:
    _commit(shop.root)
    build = engine.build

    def vary(request: object) -> None:
        engine.layer_bytes += 1
        build(request)  # type: ignore[arg-type]

    engine.build = vary  # type: ignore[method-assign]
    with pytest.raises(CheckError, match="something else") as caught:
        reproduce.check(reproduce.reproduce(shop, row))
    assert "cpu/debian12/py311/x86_64:devel" in caught.value.got
    assert not [tag for tag in engine.images if tag.startswith(reproduce.SPACE)]


def test_without_a_commit_there_is_nothing_to_reproduce(shop: Shop, row: ImageRow) -> None:
    with pytest.raises(UsageError, match="nothing to reproduce"):
        reproduce.reproduce(shop, row)
