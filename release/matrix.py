"""The matrix as commands ask for it: rows, selections, image tags, and where wheels lie in the download bucket."""

from collections.abc import Callable

from packaging.version import Version as Pep440

from release.errors import UsageError, unknown
from release.model import Manifest
from release.rows import Hardware
from release.rows import ImageRow as ImageRow
from release.rows import Kind as Kind
from release.rows import WheelRow as WheelRow

ALL = "all"
MODULE = "mindspore"


def image_rows(manifest: Manifest) -> list[ImageRow]:
    """Every image row, in the manifest's order."""
    return manifest.image_rows()


def wheel_rows(manifest: Manifest) -> list[WheelRow]:
    """Every wheel row, by platform, then Python."""
    return manifest.wheel_rows()


def default_row(manifest: Manifest, hardware: Hardware = "cpu") -> ImageRow:
    """The row that the short tags of a hardware, and commands without options, mean."""
    return next(row for row in manifest.image_rows() if row.id == manifest.hardware[hardware].default)


def index_rows(manifest: Manifest, row: ImageRow) -> list[ImageRow]:
    """The rows that share `row`'s tags: its variant on every architecture."""
    return [other for other in manifest.image_rows() if other.variant == row.variant]


def is_default(manifest: Manifest, row: ImageRow) -> bool:
    """Whether `row` is its hardware's default one, on any architecture: a tag's index spans them."""
    return row.variant == default_row(manifest, row.hardware).variant


def budget(manifest: Manifest, kind: Kind, hardware: Hardware = "cpu") -> int | None:
    """Largest sum of uncompressed layer tars, in bytes; None: no limit is set, as where a vendor's libraries lie inside."""
    limit: int | None = getattr(manifest.image.budget, kind)
    return limit if hardware == "cpu" else None


def repository(manifest: Manifest, row: ImageRow) -> str:
    """`mindspore/mindspore-cpu`."""
    return manifest.image.repository.format(hardware=row.hardware)


def local_name(manifest: Manifest, row: ImageRow) -> str:
    """`mindspore-cpu`: the repository's short name on the machine that built it."""
    return repository(manifest, row).rsplit("/", 1)[-1]


def tags_for(manifest: Manifest, row: ImageRow, kind: Kind, version: str | None = None) -> list[str]:
    """Full references of `row`'s image, the short ones (default row only) first.

    `version` defaults to the manifest's current one. `latest` comes with a final release of the default row.
    UsageError for a version before 2.0, whose tags are never issued, and for a kind that the row lacks.

    >>> from release.model import load_manifest
    >>> manifest = load_manifest()
    >>> tags_for(manifest, default_row(manifest), "devel")
    ['mindspore/mindspore-cpu:devel', 'mindspore/mindspore-cpu:devel-debian12-py311']
    """
    if kind not in row.kinds:
        raise unknown("kind", kind, row.kinds)
    number = Pep440(version or manifest.current.text)
    if number.major < 2:
        raise UsageError(f"no image tag for {number}\n  expected: 2.0 or later; 1.x tags are never issued")
    stem = str(number) if kind == "release" else kind
    tags = ["-".join((stem, *row.parts))]
    if is_default(manifest, row):
        tags.insert(0, stem)
        if kind == "release" and not number.is_prerelease:
            tags.append("latest")
    return [f"{repository(manifest, row)}:{tag}" for tag in tags]


def tag_moves(tag: str) -> bool:
    """Whether a tag may change its image later: `devel`, `runtime`, `latest`, dev versions; rc and final never.

    >>> tag_moves("devel-debian12-py311"), tag_moves("2.0.0.dev0"), tag_moves("2.0.0rc1-debian12-py311")
    (True, True, False)
    """
    stem = tag.rsplit(":", 1)[-1].split("-", 1)[0]
    return stem in ("devel", "runtime", "latest") or Pep440(stem).is_devrelease


def wheel_name(row: WheelRow, version: str) -> str:
    """The wheel's file name."""
    return f"{MODULE}-{Pep440(version)}-{row.tag}.whl"


def bucket_path(row: WheelRow, version: str) -> str:
    """The wheel's place in the bucket; the directory spells 2.0.0rc1 as 2.0.0-rc1, the file does not."""
    number = Pep440(version)
    suffix = str(number).removeprefix(number.base_version).lstrip(".")
    directory = f"{number.base_version}-{suffix}" if suffix else number.base_version
    return f"{directory}/MindSpore/{row.hardware}/{row.platform.directory}/{wheel_name(row, version)}"


def select(
    manifest: Manifest,
    target: str,
    os: str | None = None,
    arch: str | None = None,
    python: str | None = None,
    kind: str | None = None,
    stack: str | None = None,
) -> list[ImageRow]:
    """The rows that a command's options mean; never empty.

    An option left out means the value of the hardware's default row if that fits the others, else any; `all` means
    any. A given `kind` narrows each row's kinds to it. UsageError (exit code 2) lists the valid values and names the
    nearest.
    """
    rows = _narrow(manifest.image_rows(), "target", target, lambda row: row.hardware)
    default = default_row(manifest, rows[0].hardware)
    rows = _narrow(rows, "os", os, lambda row: row.os)
    rows = _narrow(rows, "python", python, lambda row: row.python)
    rows = _narrow(rows, "stack", stack, lambda row: row.stack or "none")
    rows = _narrow(rows, "arch", arch, lambda row: row.arch)
    rows = _prefer(rows, default.os, lambda row: row.os) if os is None else rows
    rows = _prefer(rows, default.stack, lambda row: row.stack) if stack is None else rows
    rows = _prefer(rows, default.arch, lambda row: row.arch) if arch is None else rows
    return rows if kind in (None, ALL) else [_with_kind(row, kind) for row in rows]


def _narrow(rows: list[ImageRow], what: str, value: str | None, part: Callable[[ImageRow], str]) -> list[ImageRow]:
    if value in (None, ALL):
        return rows
    choices = list(dict.fromkeys(part(row) for row in rows))
    if value not in choices:
        raise unknown(what, str(value), choices)
    return [row for row in rows if part(row) == value]


def _prefer(rows: list[ImageRow], value: str | None, part: Callable[[ImageRow], str | None]) -> list[ImageRow]:
    return [row for row in rows if part(row) == value] or rows


def _with_kind(row: ImageRow, kind: str | None) -> ImageRow:
    for known in row.kinds:
        if known == kind:
            return row.model_copy(update={"kinds": (known,)})
    raise unknown("kind", str(kind), row.kinds)
