"""The matrix as CI systems take it: include lists, sharded by shared base, trimmed to what a change touches."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import PurePosixPath
from typing import Any

from release.errors import ReleaseError
from release.fields import python_tag
from release.model import Manifest
from release.rows import ImageRow, WheelRow

LIMIT = 256  # jobs of one matrix; the smallest limit of the CI systems (GitHub's)
RUNNERS = {"x86_64": "ubuntu-24.04", "aarch64": "ubuntu-24.04-arm", "windows": "windows-2025"}
# Changes under these build no row: tests and linters look at them.
IDLE = (
    *("docs", "tests", "benchmarks", "examples", ".gitignore", ".github", ".gitlab-ci.yml"),
    *("ARCHITECTURE.md", "CONTRIBUTING.md", "RELEASE.md", "README.zh.md"),
)
LOCK = re.compile(r"docker/[^/]+/locks/(py\d+)-(x86_64|aarch64)")
GENERATED = re.compile(r"docker/([^/]+)/generated/([^/]+)/")
TEMPLATE = re.compile(r"docker/([^/]+)/")

Touches = Callable[[ImageRow | WheelRow], bool]


@dataclass(frozen=True)
class ImageShard:
    """One job: every image that stands on one base, so that the base and its layers are made once."""

    shard: str
    runner: str
    arch: str
    rows: tuple[str, ...]


@dataclass(frozen=True)
class WheelShard:
    """One job: one wheel. `experimental`: it may fail, because the row is not tested yet."""

    shard: str
    runner: str
    arch: str
    python: str
    identifier: str
    experimental: bool


def image_shards(rows: Iterable[ImageRow]) -> list[ImageShard]:
    """The rows by base image; neighbours are joined where there are more bases than a matrix takes."""
    bases: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        bases.setdefault((row.arch, row.os), []).append(row.id)
    shards = [
        ImageShard(f"{os}-{arch}", RUNNERS[arch], arch, tuple(found)) for (arch, os), found in sorted(bases.items())
    ]
    return [joined for arch in sorted({shard.arch for shard in shards}) for joined in _joined(shards, arch)]


def _joined(shards: list[ImageShard], arch: str) -> list[ImageShard]:
    """The shards of an architecture, joined so far that all architectures together stay within the limit."""
    size = ceil(len(shards) / (LIMIT - len(RUNNERS)))
    return [
        ImageShard(
            "+".join(shard.shard for shard in group),
            group[0].runner,
            arch,
            tuple(row for shard in group for row in shard.rows),
        )
        for group in _groups([shard for shard in shards if shard.arch == arch], size)
    ]


def _groups(shards: list[ImageShard], size: int) -> list[list[ImageShard]]:
    return [shards[start : start + size] for start in range(0, len(shards), size)]


def wheel_shards(rows: Iterable[WheelRow]) -> list[WheelShard]:
    """One shard for each wheel; ReleaseError where they are more than a matrix takes."""
    shards = [
        WheelShard(
            row.tag,
            RUNNERS["windows" if row.platform.system == "windows" else row.platform.arch],
            row.platform.arch,
            row.python,
            row.identifier,
            not row.tested or row.platform.system == "windows",
        )
        for row in rows
    ]
    if len(shards) > LIMIT:
        raise ReleaseError(f"too many wheels\n  expected: {LIMIT} jobs of a matrix at most\n  got: {len(shards)}")
    return shards


def matrix(manifest: Manifest, touches: Touches | None = None) -> dict[str, Any]:
    """`images` and `wheels` with an `include` list each: of all rows, or of those that a change touches."""
    images = [row for row in manifest.image_rows() if touches is None or touches(row)]
    wheels = [row for row in manifest.wheel_rows() if touches is None or touches(row)]
    return {
        "images": {"include": [asdict(shard) for shard in image_shards(images)]},
        "wheels": {"include": [asdict(shard) for shard in wheel_shards(wheels)]},
    }


def touched_by(paths: Sequence[str], manifest: Manifest, before: Manifest | None) -> Touches:
    """Which rows a change of `paths` touches; `before` is the manifest without the change, None if it was not readable.

    A path that no rule knows touches every row.
    """
    tests = [_touches(path, manifest, before) for path in paths]
    return lambda row: any(test(row) for test in tests)


def _touches(path: str, manifest: Manifest, before: Manifest | None) -> Touches:
    name = PurePosixPath(path)
    if name.parts[0] in IDLE:
        return lambda row: False
    if path == "release/manifest.toml" and before is not None:
        return lambda row: _facts(manifest, row) != _facts(before, row)
    if path.startswith("release/") and path.endswith(".json"):  # generated, or evidence
        return lambda row: False
    if lock := LOCK.match(path):
        return lambda row: (python_tag(row.python), _arch(row)) == lock.groups()
    if place := GENERATED.match(path):
        return lambda row: isinstance(row, ImageRow) and _place(row) == place.groups()
    if template := TEMPLATE.match(path):
        return lambda row: row.hardware == template[1]
    return lambda row: True


def _arch(row: ImageRow | WheelRow) -> str:
    return row.arch if isinstance(row, ImageRow) else row.platform.arch


def _place(row: ImageRow) -> tuple[str, str]:
    return row.hardware, "-".join(filter(None, (row.os, row.stack)))


def _facts(manifest: Manifest, row: ImageRow | WheelRow) -> object:
    """What the manifest says about a row, without dates of support; None where it does not have the row."""
    version = manifest.current.text
    if isinstance(row, WheelRow):
        return (row, version) if row in manifest.wheel_rows() else None
    if row not in manifest.image_rows():
        return None
    system = manifest.os[row.os].model_dump(exclude={"ends", "drop"})
    stack = manifest.hardware[row.hardware].stack.get(row.stack or "")
    return row, version, manifest.image.budget, system, stack and stack.model_dump(exclude={"ends", "drop"})
