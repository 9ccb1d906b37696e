"""Builds a row's wheel and images once more, from nothing but the last commit and the locks, and compares their digests."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from ci import bases, git, images, report
from ci.errors import CheckError, UsageError
from ci.shop import Shop
from release.rows import ImageRow

SPACE = "mindspore-reproduce/"


@dataclass(frozen=True)
class Pair:
    """One artefact built twice: its name and both digests."""

    name: str
    first: str
    second: str

    @property
    def equal(self) -> bool:
        return self.first == self.second


def reproduce(shop: Shop, row: ImageRow) -> list[Pair]:
    """Build `row` as usual, then again in another folder, without any cache, under another host name, umask and zone, and later.

    Each container has a host name of its own. The second build leaves nothing behind.
    Downloads are shared: the locks say what they must hold.
    """
    with TemporaryDirectory(prefix="mindspore-reproduce-") as scratch:
        root = Path(scratch) / "elsewhere" / "checkout"
        root.parent.mkdir()
        with _elsewhere():
            cloned = git.clone(shop.root, root)
        if not cloned:
            raise UsageError("nothing to reproduce", where=str(shop.root), expected="a git checkout with a commit")
        first = digests(shop, row)
        again = replace(shop, root=root, fresh=True, space=SPACE)
        try:
            with _elsewhere():
                second = digests(again, row)
        finally:
            _forget(again, row)
    return [Pair(name, first[name], second[name]) for name in first]


@contextmanager
def _elsewhere() -> Iterator[None]:
    """Other habits of the machine: new files may be written by their group, and the day changes at another hour."""
    mask, zone = os.umask(0o002), os.environ.get("TZ")
    os.environ["TZ"] = "Pacific/Kiritimati"
    try:
        yield
    finally:
        os.umask(mask)
        if zone is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = zone


def digests(shop: Shop, row: ImageRow) -> dict[str, str]:
    """The row's artefacts, built if need be, with their digests."""
    with report.step(f"building {row.id} in {shop.root}"):
        made, wheel = images.build(shop, row, row.kinds)
    found = {images.layout_name(row, image.kind): image.manifest for image in made}
    return found | ({wheel.path.name: f"sha256:{wheel.sha256}"} if wheel else {})


def _forget(shop: Shop, row: ImageRow) -> None:
    for kind in reversed(row.kinds):
        for tag in images.all_tags(shop, row, kind):
            shop.engine.remove(tag)
    shop.engine.remove(bases.engine_tag(shop, row))


def check(pairs: Sequence[Pair]) -> None:
    """Raise CheckError that names every artefact whose second build differs."""
    if different := [pair for pair in pairs if not pair.equal]:
        got = "; ".join(f"{pair.name}: {pair.first[:19]} and {pair.second[:19]}" for pair in different)
        fix = "`image.diff` shows where two images differ"
        raise CheckError("a second build gave something else", expected="equal digests", got=got, fix=fix)
