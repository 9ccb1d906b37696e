"""What the tasks for CI systems do: the matrix as jobs, one job's work, and the pipelines."""

from __future__ import annotations

from ci import commands, engines, generate, git, outcomes, pipelines, report
from ci.engine import Runner
from ci.errors import UsageError
from ci.paths import MANIFEST, ROOT
from ci.shop import Shop
from release import generate as release_generate
from release.errors import ManifestError, unknown
from release.model import Manifest, load_manifest, parse_manifest
from release.shards import ImageShard, Touches, WheelShard, image_shards, matrix, touched_by, wheel_shards
from release.tables import json_text


def show(as_json: bool, change: str | None) -> None:
    """Print the jobs of images and wheels: all, or those that differ from where the checkout left `change`."""
    known = load_manifest(MANIFEST)
    found = matrix(known, touches(known, change))
    if as_json:
        print(json_text(found), end="")
    else:
        print("\n".join(job["shard"] for part in found.values() for job in part["include"]))


def touches(known: Manifest, change: str | None) -> Touches | None:
    """Which rows the checkout's difference to `change` touches; None: all."""
    if change is None:
        return None
    paths = git.changed(ROOT, change)
    if paths is None:
        fix = "fetch it, with its history (a shallow clone does not know where the branches parted)"
        raise UsageError("git does not know the base of the change", where="--change", got=change, fix=fix)
    name = str(MANIFEST.relative_to(ROOT))
    text = git.content(ROOT, change, name) if name in paths else None
    try:
        before = parse_manifest(text, MANIFEST) if text else None
    except ManifestError:
        before = None
    return touched_by(paths, known, before)


def run(name: str, change: str | None, as_json: bool) -> None:
    """Build what a shard holds; nothing when the change does not touch it."""
    known = load_manifest(MANIFEST)
    every = _shards(known, None)
    if name not in every:
        raise unknown("shard", name, list(every))
    shard = _shards(known, touches(known, change)).get(name)
    if shard is None:
        report.emit({"shard": name, "touched": False}, as_json, f"{name}: the change does not touch it")
    elif isinstance(shard, WheelShard):
        commands.wheel(shard.python, shard.arch, False, as_json)
    else:
        rows = [row for row in known.image_rows() if row.id in shard.rows and generate.has_template(row)]
        runner = Runner()
        made = outcomes.build_rows(Shop(engines.detect(runner), runner, known), rows)
        work = runner.work.as_dict()
        data = {"rows": [outcome.as_dict() for outcome in made], "work": work}
        report.emit(data, as_json, outcomes.text(made, work))


def _shards(known: Manifest, wanted: Touches | None) -> dict[str, ImageShard | WheelShard]:
    images = image_shards(row for row in known.image_rows() if wanted is None or wanted(row))
    wheels = wheel_shards(row for row in known.wheel_rows() if wanted is None or wanted(row))
    return {**{shard.shard: shard for shard in images}, **{shard.shard: shard for shard in wheels}}


def render() -> None:
    """Write the pipelines of the CI systems."""
    for path in release_generate.write(pipelines.outputs(load_manifest(MANIFEST))):
        report.say(f"written: {path}")
