"""Builds the rows that were asked for and says for each what became of it: built, unchanged, or only rendered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Literal

from ci import emulation, evidence, generate, images, report
from ci.errors import CheckError, NoBaseError, UsageError
from ci.shop import Shop
from ci.wheels import Wheel
from release.guards import may_build
from release.lifecycle import guard_day, status_of
from release.matrix import select
from release.model import Manifest
from release.rows import ImageRow


@dataclass(frozen=True)
class Outcome:
    """What became of a row: `rendered` means that its Dockerfiles exist and nothing was built, for the reason given."""

    row: str
    state: Literal["built", "unchanged", "rendered"]
    images: list[images.Image] = field(default_factory=list)
    wheel: Wheel | None = None
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def check_phase(manifest: Manifest, today: date) -> None:
    """Raise CheckError when the branch's phase forbids builds; a clock behind the manifest counts as its date."""
    verdict = may_build(status_of(manifest, manifest.project.branch, guard_day(manifest, today)))
    if not verdict.allowed:
        raise CheckError("this branch may not be built", where="release/manifest.toml", got=verdict.reason)


def rows(manifest: Manifest, target: str, options: dict[str, str | None]) -> list[ImageRow]:
    """The rows that the options mean; the release package's UsageError explains a wrong one."""
    found = select(manifest, target, **options)
    if not generate.has_template(found[0]):
        where = f"{generate.TEMPLATES / found[0].hardware}"
        raise UsageError(f"images for {target} cannot be built yet", where=where, got="no template")
    return found


def one_row(manifest: Manifest, target: str, given: dict[str, str]) -> ImageRow:
    """The first row that the options mean; an empty one is left out."""
    return rows(
        manifest, target, {name: given.get(name) or None for name in ("os", "arch", "python", "kind", "stack")}
    )[0]


def build_rows(shop: Shop, chosen: Sequence[ImageRow]) -> list[Outcome]:
    """Build every row; among several, one that this machine cannot build is reported as rendered."""
    return [_build_row(shop, row, alone=len(chosen) == 1) for row in chosen]


def _build_row(shop: Shop, row: ImageRow, alone: bool) -> Outcome:
    if not emulation.runs(row.arch):
        return Outcome(row.id, "rendered", reason=f"nothing runs {row.arch} here: {emulation.MEND}")
    try:
        made, wheel = images.build(shop, row, row.kinds)
    except NoBaseError as error:
        if alone:
            raise
        return Outcome(row.id, "rendered", reason=error.problem)
    evidence.note_built(shop, row, row.kinds)
    fresh = any(image.state == "built" for image in made) or (wheel is not None and wheel.state == "built")
    return Outcome(row.id, "built" if fresh else "unchanged", made, wheel)


def text(outcomes: Sequence[Outcome], work: dict[str, int]) -> str:
    """The outcomes as a table, the wheels, and the work that was done."""
    lines: list[tuple[str, ...]] = []
    for outcome in outcomes:
        lines += [(outcome.row, tag, image.state, image.digest[7:19]) for image in outcome.images for tag in image.tags]
        if outcome.wheel:
            lines.append((outcome.row, str(outcome.wheel.path.name), outcome.wheel.state, outcome.wheel.sha256[:12]))
        if not outcome.images:
            lines.append((outcome.row, f"Dockerfiles only: {outcome.reason}", outcome.state, "-"))
    done = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in work.items())
    return report.table(("row", "made", "state", "digest"), lines) + f"\nwork: {done}"
