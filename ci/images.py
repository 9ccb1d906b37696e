"""Builds the images of a row, each from the one below; an image whose inputs did not change is left alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from ci import archive, bases, generate, report, wheelhouse, wheels
from ci.engine import BuildRequest
from ci.errors import CheckError
from ci.files import need_space
from ci.shop import Shop, digest
from release.matrix import budget, is_default, local_name, tags_for
from release.rows import ImageRow, Kind

INPUTS_LABEL = "org.mindspore.inputs"
ROW_LABEL = "org.mindspore.row"
INTERMEDIATE = "org.mindspore.intermediate=true"
FILES = Path("docker/cpu/files")
SCRIPTS: dict[Kind, tuple[str, ...]] = {
    "devel": ("mindspore-entrypoint", "build-wheel"),
    "runtime": ("mindspore-entrypoint",),
    "release": (),
}


@dataclass(frozen=True)
class Image:
    """An image in the engine: its tags, its id, and whether this run built it."""

    kind: Kind
    tags: tuple[str, ...]
    digest: str
    state: Literal["built", "unchanged"]


@dataclass(frozen=True)
class Plan:
    """All that goes into one image, before anything is built."""

    row: ImageRow
    kind: Kind
    parent: str
    parent_digest: str
    material: str
    paths: list[str]


def all_tags(shop: Shop, row: ImageRow, kind: Kind) -> tuple[str, ...]:
    """The published tags, and for the default row's release the local short name."""
    tags = tags_for(shop.manifest, row, kind)
    if kind == "release" and is_default(shop.manifest, row):
        tags.append(f"{local_name(shop.manifest, row)}:latest")
    return tuple(dict.fromkeys(tags))


def build(shop: Shop, row: ImageRow, kinds: Sequence[Kind]) -> tuple[list[Image], wheels.Wheel | None]:
    """Make the images of `kinds` and whatever they stand on; give those that were asked for, and the wheel."""
    wheel = None
    done: dict[Kind, Image] = {}
    epoch = shop.change([str(generate.TEMPLATES)]).time
    base = bases.ensure_base(shop.engine, shop.runner, shop.manifest, row, epoch)
    if "devel" in kinds or "release" in kinds:
        done["devel"] = _ensure(shop, _on_base(shop, row, "devel", base))
    if "release" in kinds:
        wheel = wheels.ensure(shop, wheels.row_of_image(shop, row), done["devel"].tags[0])
    if "runtime" in kinds or "release" in kinds:
        done["runtime"] = _ensure(shop, _on_base(shop, row, "runtime", base))
    if wheel:
        done["release"] = _ensure(shop, _on_runtime(row, done["runtime"], wheel), wheel)
    return [done[kind] for kind in kinds], wheel


def _on_base(shop: Shop, row: ImageRow, kind: Kind, base: bases.Base) -> Plan:
    lock = wheelhouse.lock_for(row, kind)
    paths = [str(generate.dockerfile(row, kind)), str(lock.path), *(str(FILES / name) for name in SCRIPTS[kind])]
    return Plan(row, kind, base.tag, base.digest, wheelhouse.read(lock, shop.root), paths)


def _on_runtime(row: ImageRow, runtime: Image, wheel: wheels.Wheel) -> Plan:
    paths = [str(generate.dockerfile(row, "release"))]
    return Plan(row, "release", runtime.tags[0], runtime.digest, wheel.sha256, paths)


def _labels(shop: Shop, plan: Plan) -> dict[str, str]:
    sources = [*plan.paths, *(wheels.INPUTS if plan.kind == "release" else [])]
    version = shop.manifest.current.text
    labels = {
        "org.opencontainers.image.title": f"mindspore-{plan.row.hardware} {plan.kind}",
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.revision": shop.change(sources).revision,
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.base.name": plan.parent,
        "org.opencontainers.image.base.digest": plan.parent_digest,
        ROW_LABEL: plan.row.id,
        "org.mindspore.kind": plan.kind,
    }
    recipe = [f"{key}={value}" for key, value in labels.items()]
    limit = str(budget(shop.manifest, plan.kind))
    return labels | {INPUTS_LABEL: digest([*recipe, plan.material, limit, shop.fingerprint(plan.paths)])}


def _ensure(shop: Shop, plan: Plan, wheel: wheels.Wheel | None = None) -> Image:
    labels = _labels(shop, plan)
    tags = all_tags(shop, plan.row, plan.kind)
    found = shop.engine.inspect(tags[0])
    if found and labels_of(found).get(INPUTS_LABEL) == labels[INPUTS_LABEL]:
        _tag_all(shop, found["Id"], tags)
        return Image(plan.kind, tags, found["Id"], "unchanged")
    with report.step(f"building {tags[0]}"):
        _make(shop, plan, labels, tags[0], wheel)
    made = shop.engine.inspect(tags[0])
    if made is None:
        raise CheckError("the engine lost the image that it just loaded", where=tags[0])
    _tag_all(shop, made["Id"], tags)
    if found and found["Id"] != made["Id"]:
        shop.engine.remove(found["Id"])
    return Image(plan.kind, tags, made["Id"], "built")


def epoch_of(created: str) -> int:
    """The Unix time of an image's `Created`, which normalising sets to its SOURCE_DATE_EPOCH."""
    return int(datetime.fromisoformat(created).timestamp())


def labels_of(inspected: dict[str, Any]) -> dict[str, str]:
    """The labels of an image as the engine's `inspect` tells them."""
    return inspected.get("Config", {}).get("Labels") or inspected.get("Labels") or {}


def _tag_all(shop: Shop, digest_: str, tags: Sequence[str]) -> None:
    for tag in tags[1:]:
        if (shop.engine.inspect(tag) or {}).get("Id") != digest_:
            shop.engine.tag(tags[0], tag)


def _make(shop: Shop, plan: Plan, labels: dict[str, str], tag: str, wheel: wheels.Wheel | None) -> None:
    """Build under a passing name, normalise, check the size, and only then give the image its tag."""
    need_space(shop.engine.data_root() or shop.root, 4096, f"building {tag}")
    need_space(shop.root, 4096, f"normalising {tag}")
    passing = f"mindspore-build:{plan.kind}-{labels[INPUTS_LABEL][:12]}"
    parent = "RUNTIME" if plan.kind == "release" else "BASE"
    try:
        with _context(shop, plan, wheel) as context:
            dockerfile = shop.root / plan.paths[0]
            shop.engine.build(BuildRequest(dockerfile, context, passing, {parent: plan.parent}, labels))
        _load_normalised(shop, plan, passing, tag, shop.change(plan.paths).time)
    finally:
        shop.engine.remove(passing)
        shop.engine.prune(INTERMEDIATE)


@contextmanager
def _context(shop: Shop, plan: Plan, wheel: wheels.Wheel | None) -> Iterator[Path]:
    """A folder with the packages and scripts that the Dockerfile copies, and nothing else."""
    scratch_root = shop.root / "build"
    scratch_root.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="context-", dir=scratch_root) as name:
        context = Path(name)
        house = context / "wheelhouse"
        if wheel:
            house.mkdir()
            shutil.copyfile(wheel.path, house / wheel.path.name)
        else:
            lock = wheelhouse.lock_for(plan.row, plan.kind)
            shutil.copytree(wheelhouse.ensure(shop.runner, shop.python, lock, shop.root), house)
        for script in SCRIPTS[plan.kind]:
            (context / "files").mkdir(exist_ok=True)
            shutil.copyfile(shop.root / FILES / script, context / "files" / script)
            (context / "files" / script).chmod(0o755)
        yield context


def _load_normalised(shop: Shop, plan: Plan, passing: str, tag: str, epoch: int) -> None:
    with TemporaryDirectory(prefix="image-", dir=shop.root / "build") as name:
        saved, clean = Path(name) / "saved.tar", Path(name) / "clean.tar"
        shop.engine.save(passing, saved)
        layers = archive.normalise(saved, clean, tag, epoch)
        saved.unlink()
        check_size(tag, layers, budget(shop.manifest, plan.kind))
        shop.engine.load(clean)
    write_layers(shop, tag, layers)


def check_size(tag: str, layers: Sequence[archive.Layer], limit: int | None) -> None:
    """Raise CheckError with the table of layers when they sum to more than the limit."""
    total = sum(layer.size for layer in layers)
    if limit is not None and total > limit:
        raise CheckError(
            f"{tag} is too big\n{layer_table(layers)}",
            where="release/manifest.toml: image.budget",
            expected=f"at most {limit} bytes of layer tars",
            got=f"{total} bytes",
            fix="trim the largest layer in docker/cpu/Dockerfile.j2",
        )


def layer_table(layers: Sequence[archive.Layer]) -> str:
    rows = [(f"{layer.size / 1e6:.1f} MB", layer.digest[7:19], layer.command[:90]) for layer in layers]
    return report.table(("size", "digest", "made by"), rows)


def write_layers(shop: Shop, tag: str, layers: Sequence[archive.Layer]) -> None:
    """Note the layers' sizes for `image.list`."""
    path = shop.root / "build" / "layers" / f"{tag.replace('/', '_').replace(':', '_')}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([vars(layer) for layer in layers], indent=2) + "\n", encoding="utf-8")
