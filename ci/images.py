"""Builds the images of a row, each from the one below; an image whose inputs did not change is left alone."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from ci import archive, bases, branchfile, debs, emulation, generate, report, sizes, wheelhouse, wheels
from ci.engine import BuildRequest
from ci.errors import CheckError, UsageError
from ci.files import need_space
from ci.shop import INPUTS_LABEL, Shop, digest, labels_of
from release.matrix import budget, image_rows, is_default, local_name, tags_for
from release.model import Manifest
from release.rows import ImageRow, Kind

ROW_LABEL = "org.mindspore.row"
INTERMEDIATE = "org.mindspore.intermediate=true"
FILES = Path("docker/files")
SCRIPTS_FOLDER = "files"  # of the context
ENTRY = ("mindspore-entrypoint", "mindspore-phase")
SCRIPTS: dict[Kind, tuple[str, ...]] = {"devel": (*ENTRY, "build-wheel"), "runtime": ENTRY, "release": ()}
DEVICE_CHECK = "mindspore-device"


@dataclass(frozen=True)
class Image:
    """An image in the engine: its tags, its id there, its manifest's digest, and whether this run built it."""

    kind: Kind
    tags: tuple[str, ...]
    digest: str
    manifest: str
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
    debs: tuple[debs.Deb, ...] = ()

    @property
    def key(self) -> str:
        """The image's name among the layouts."""
        return layout_name(self.row, self.kind)


def layout_name(row: ImageRow, kind: Kind) -> str:
    """`cpu/debian12/py311/x86_64:release`: what the image is called in `build/oci`."""
    return f"{row.id}:{kind}"


def scripts(row: ImageRow, kind: Kind) -> tuple[str, ...]:
    """The scripts that the image carries; those for devices also look whether there is one."""
    more = (DEVICE_CHECK,) if row.hardware != "cpu" and kind != "release" else ()
    return (*SCRIPTS[kind], *more)


def all_tags(shop: Shop, row: ImageRow, kind: Kind) -> tuple[str, ...]:
    """The tags in this machine's engine: the published ones, and for the default row's release the local short name.

    What is published under one tag for all architectures needs one each here: a foreign image's tag ends in its machine.
    """
    tags = [shop.space + tag for tag in tags_for(shop.manifest, row, kind)]
    if is_foreign(row):
        return (f"{tags[-1]}-{row.arch}",)
    if kind == "release" and is_default(shop.manifest, row):
        tags.append(f"{shop.space}{local_name(shop.manifest, row)}:latest")
    return tuple(dict.fromkeys(tags))


def build(shop: Shop, row: ImageRow, kinds: Sequence[Kind]) -> tuple[list[Image], wheels.Wheel | None]:
    """Make the images of `kinds` and whatever they stand on; give those that were asked for, and the wheel."""
    wheel = None
    done: dict[Kind, Image] = {}
    row = next((known for known in image_rows(shop.manifest) if known.id == row.id), row)  # with all of its kinds
    base = bases.ensure_base(shop, row)
    if "devel" in kinds:
        done["devel"] = _ensure(shop, _on_base(shop, row, "devel", base))
    if "release" in kinds:
        wanted = wheels.row_of_image(shop, row)
        wheel = wheels.current(shop, wanted) or wheels.ensure(shop, wanted, _builder(shop, row))
    if "runtime" in kinds or "release" in kinds:
        done["runtime"] = _ensure(shop, _on_base(shop, row, "runtime", base))
    if wheel:
        done["release"] = _ensure(shop, _on_runtime(row, done["runtime"], wheel), wheel)
    return [done[kind] for kind in kinds], wheel


def is_foreign(row: ImageRow) -> bool:
    """Whether the row's programs need an emulator on this machine."""
    return row.arch != platform.machine()


def builder(manifest: Manifest, python: str, os: str = "") -> ImageRow | None:
    """The CPU row of this machine whose devel image builds wheels for `python`, also those of the other machines.

    That of the system `os` or, where none is given, of the first system whose own Python it is.
    """
    rows = (row for row in image_rows(manifest) if row.hardware == "cpu" and not is_foreign(row))
    return next((row for row in rows if row.python == python and os in ("", row.os)), None)


def _builder(shop: Shop, row: ImageRow) -> str:
    """The devel image that builds the row's wheel."""
    if (found := builder(shop.manifest, row.python, row.os)) is None:
        expected = f"a CPU row of its system for {platform.machine()}"
        raise UsageError(f"nothing here compiles for {row.id}", expected=expected)
    return _ensure(shop, _on_base(shop, found, "devel", bases.ensure_base(shop, found))).tags[0]


def _on_base(shop: Shop, row: ImageRow, kind: Kind, base: bases.Base) -> Plan:
    lock = wheelhouse.lock_for(row, kind)
    paths = [str(generate.dockerfile(row, kind)), str(lock.path), *(str(FILES / name) for name in scripts(row, kind))]
    paths += [str(branchfile.PATH)]
    packages = bases.lock_of(shop, row)
    wanted = packages.debs(row.arch, debs.set_for(kind)) if packages else ()
    material = "\n".join([wheelhouse.read(lock, shop.root), *(deb.sha256 for deb in wanted)])
    return Plan(row, kind, base.tag, base.digest, material, paths, wanted)


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
        "org.opencontainers.image.base.name": plan.parent.removeprefix(shop.space),
        "org.opencontainers.image.base.digest": plan.parent_digest,
        ROW_LABEL: plan.row.id,
        "org.mindspore.kind": plan.kind,
    }
    recipe = [f"{key}={value}" for key, value in labels.items()]
    limit = str(budget(shop.manifest, plan.kind, plan.row.hardware))
    return labels | {INPUTS_LABEL: digest([*recipe, plan.material, limit, shop.fingerprint(plan.paths)])}


def _ensure(shop: Shop, plan: Plan, wheel: wheels.Wheel | None = None) -> Image:
    labels = _labels(shop, plan)
    tags = all_tags(shop, plan.row, plan.kind)
    found = shop.engine.inspect(tags[0])
    if found and labels_of(found).get(INPUTS_LABEL) == labels[INPUTS_LABEL]:
        _tag_all(shop, found["Id"], tags)
        return Image(plan.kind, tags, found["Id"], _kept(shop, plan, found["Id"], tags[0]), "unchanged")
    known = _is_laid_out(shop, plan, labels[INPUTS_LABEL])
    if known:
        report.say(f"    {tags[0]}: built before, given to {shop.engine.name}")
        bases.load(shop, plan.key, tags[0])
    else:
        with report.step(f"building {tags[0]}"):
            _make(shop, plan, labels, tags[0], wheel)
    made = shop.engine.inspect(tags[0])
    if made is None:
        raise CheckError("the engine lost the image that it just loaded", where=tags[0])
    _tag_all(shop, made["Id"], tags)
    if found and found["Id"] != made["Id"]:
        shop.engine.remove(found["Id"])
    shop.layouts.sweep()
    return Image(plan.kind, tags, made["Id"], shop.layouts.digest(plan.key), "unchanged" if known else "built")


def _is_laid_out(shop: Shop, plan: Plan, inputs: str) -> bool:
    """Whether the image of these inputs was built before: another engine, or this one after it lost it, need not build it."""
    return (
        shop.layouts.has(plan.key)
        and labels_of({"Config": shop.layouts.config(plan.key)["config"]}).get(INPUTS_LABEL) == inputs
    )


def _kept(shop: Shop, plan: Plan, identity: str, tag: str) -> str:
    """The digest of the image's manifest; a layout that was lost is written anew from what the engine has."""
    if not (shop.layouts.has(plan.key) and shop.layouts.manifest(plan.key)["config"]["digest"] == identity):
        with TemporaryDirectory(prefix="image-", dir=shop.root / "build") as name:
            shop.engine.save(tag, Path(name) / "saved.tar")
            archive.normalise(Path(name) / "saved.tar", shop.layouts, plan.key, _epoch(shop, plan))
    return shop.layouts.digest(plan.key)


def _epoch(shop: Shop, plan: Plan) -> int:
    """The time of an image: that of its youngest input."""
    times = [shop.change(plan.paths).time]
    if lock := bases.lock_of(shop, plan.row):
        times.append(lock.epoch)
    return max(times)


def epoch_of(created: str) -> int:
    """The Unix time of an image's `Created`, which normalising sets to its SOURCE_DATE_EPOCH."""
    return int(datetime.fromisoformat(created).timestamp())


def _tag_all(shop: Shop, digest_: str, tags: Sequence[str]) -> None:
    for tag in tags[1:]:
        if (shop.engine.inspect(tag) or {}).get("Id") != digest_:
            shop.engine.tag(tags[0], tag)


def _make(shop: Shop, plan: Plan, labels: dict[str, str], tag: str, wheel: wheels.Wheel | None) -> None:
    """Build under a passing name, normalise, check the size, and only then give the image its tag."""
    need_space(shop.engine.data_root() or shop.root, 4096, f"building {tag}")
    need_space(shop.root, 4096, f"normalising {tag}")
    passing = f"{shop.space}mindspore-build:{plan.kind}-{labels[INPUTS_LABEL][:12]}"
    parent = "RUNTIME" if plan.kind == "release" else "BASE"
    try:
        with _context(shop, plan, wheel) as context:
            dockerfile = shop.root / plan.paths[0]
            network = "none" if plan.debs or plan.kind == "release" else "host"
            machine = plan.row.platform if is_foreign(plan.row) else ""
            request = BuildRequest(
                dockerfile, context, passing, {parent: plan.parent}, labels, machine, network, shop.fresh
            )
            shop.engine.build(request)
        _load_normalised(shop, plan, passing, tag)
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
            (context / "share").mkdir()
            shutil.copyfile(shop.root / branchfile.PATH, context / "share" / branchfile.PATH.name)
            _packages(shop, plan, context / "packages")
        for script in scripts(plan.row, plan.kind):
            (context / SCRIPTS_FOLDER).mkdir(exist_ok=True)
            shutil.copyfile(shop.root / FILES / script, context / SCRIPTS_FOLDER / script)
        _settle(context)
        yield context


def _settle(context: Path) -> None:
    """Give everything the modes that images have: they, and engines' notes on what was copied, must not follow our umask."""
    for path in context.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.parent.name == SCRIPTS_FOLDER else 0o644)


def _packages(shop: Shop, plan: Plan, target: Path) -> None:
    """The system's packages, where they are locked; else an empty folder, and the Dockerfile asks the archive."""
    target.mkdir()
    if lock := bases.lock_of(shop, plan.row):
        debs.folder(shop.runner, lock, plan.debs, target)


def _load_normalised(shop: Shop, plan: Plan, passing: str, tag: str) -> None:
    with TemporaryDirectory(prefix="image-", dir=shop.root / "build") as name:
        saved = Path(name) / "saved.tar"
        shop.engine.save(passing, saved)
        layers = archive.normalise(saved, shop.layouts, plan.key, _epoch(shop, plan))
    try:
        emulation.check_architecture(shop.layouts, plan.key, plan.row.arch)
        check_size(tag, layers, budget(shop.manifest, plan.kind, plan.row.hardware))
        sizes.check(shop.root, plan.key, layers)
    except CheckError:
        shop.layouts.drop(plan.key)  # what lies there is what was accepted: it is loaded and published
        raise
    bases.load(shop, plan.key, tag)


def check_size(tag: str, layers: Sequence[archive.Layer], limit: int | None) -> None:
    """Raise CheckError with the table of layers when they sum to more than the limit."""
    total = sum(layer.size for layer in layers)
    if limit is not None and total > limit:
        raise CheckError(
            f"{tag} is too big\n{sizes.table(layers)}",
            where="release/manifest.toml: image.budget",
            expected=f"at most {limit} bytes of layer tars",
            got=f"{total} bytes",
            fix="trim the largest layer in docker/base.j2",
        )


def measured(shop: Shop, row: ImageRow) -> dict[str, int]:
    """The sizes of the row's images that were built here."""
    found = {}
    for name in (layout_name(row, kind) for kind in row.kinds):
        if shop.layouts.has(name):
            layers = shop.layouts.manifest(name)["layers"]
            found[name] = sum(shop.layouts.unpacked_size(layer["digest"]) for layer in layers)
    return found
