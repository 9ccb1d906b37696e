"""The images of the default row, looked at from inside; `python3 tasks.py test` builds them first."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ci import engines
from ci.engine import Result, Runner, RunRequest
from ci.errors import NoEngineError
from ci.images import all_tags, is_foreign
from ci.paths import MANIFEST
from ci.shop import Shop
from ci.testing import IMAGES_ARE_THERE, TESTED_ROW
from release.matrix import default_row
from release.model import load_manifest
from release.rows import ImageRow, Kind

Run = Callable[..., Result]


def _absent(reason: str) -> None:
    """Without images there is nothing to test; where they were promised, that is a failure."""
    if os.environ.get(IMAGES_ARE_THERE) == "1":
        pytest.fail(reason)
    pytest.skip(f"{reason}; run `python3 tasks.py image.test`")


@pytest.fixture(scope="session")
def row() -> ImageRow:
    """The row that `image.test` was asked for, else the default one."""
    known = load_manifest(MANIFEST)
    wanted = os.environ.get(TESTED_ROW, default_row(known).id)
    return next(row for row in known.image_rows() if row.id == wanted)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    runner = Runner(tmp_path_factory.mktemp("logs"))
    try:
        return Shop(engines.detect(runner), runner, load_manifest(MANIFEST))
    except NoEngineError as error:
        _absent(str(error))
        raise


@pytest.fixture(scope="session")
def tags(shop: Shop, row: ImageRow) -> dict[Kind, str]:
    """The tag of each kind's image; all of them exist."""
    found: dict[Kind, str] = {kind: all_tags(shop, row, kind)[-1] for kind in row.kinds}
    missing = [kind for kind, tag in found.items() if shop.engine.inspect(tag) is None]
    if is_foreign(row) and "devel" in missing:
        missing.remove("devel")  # this machine's own devel image has built the wheel
        del found["devel"]
    if missing:
        _absent(f"not built: {', '.join(found[kind] for kind in missing)}")
    return found


@pytest.fixture(scope="session")
def inspected(shop: Shop, tags: dict[Kind, str]) -> dict[Kind, dict[str, Any]]:
    return {kind: shop.engine.inspect(tag) or {} for kind, tag in tags.items()}


@pytest.fixture(scope="session")
def inside(shop: Shop, row: ImageRow, tags: dict[Kind, str]) -> Run:
    """Run a command in an image, without network; keywords are those of RunRequest."""

    def run(kind: Kind, *command: str, **options: Any) -> Result:
        if kind not in tags:
            pytest.skip(f"there is no {kind} image of {row.id} here")
        machine = row.platform if is_foreign(row) else ""
        return shop.engine.run(RunRequest(tags[kind], command, platform=machine, **options))

    return run


@pytest.fixture
def writable(tmp_path: Path) -> Path:
    """A folder that any user id may write to."""
    folder = tmp_path / "out"
    folder.mkdir()
    folder.chmod(0o777)
    return folder
