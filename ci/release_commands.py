"""What the `release.*` tasks do, once their options are known and the environment is ready."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ci import git, report
from ci.errors import CheckError, UsageError
from ci.files import sha256
from ci.paths import MANIFEST, ROOT
from ci.publish import collecting, memory, signing, upkeep
from ci.publish import settings as options
from ci.publish.material import check_rows
from ci.publish.plan import Plan
from ci.publish.run import utc_now
from ci.publish.settings import Settings
from ci.publish.verify import Verifier
from ci.trust import keys
from ci.trust.provenance import Source
from release.days import parse_day, today
from release.guards import branch_of, may_publish, parse_version
from release.lifecycle import guard_day, status_of
from release.model import Manifest, load_manifest

SOURCES = ["framework", "docker", "ci", "release", "pyproject.toml"]


def settings(path: str | None, rows: Sequence[str] = ()) -> Settings:
    return options.read(path, rows)


def key(path: str) -> None:
    """Make a signing key and say what to do with its halves."""
    made = keys.generate(Path(path))
    report.emit({"id": made.public.id}, False, f"{path}: keep it secret\n{path}.pub: commit it to release/keys/")


def sign(settings: Settings, version: str, as_json: bool) -> None:
    """Gather what was built and sign statements about it; ask the feed about the packages inside."""
    known = load_manifest(MANIFEST)
    parse_version(version)
    check_rows(known, settings.rows)
    signer = keys.load_signing(Path(settings.option("key")))
    if not settings.folder:
        collecting.collect(known, version, ROOT, settings.rows)
    done = signing.sign(options.folder(settings, version), version, signer, source())
    if not done:
        fix = "build it first: `python3 tasks.py build`, with this version in the manifest"
        raise CheckError(f"nothing of {version} was built", where=str(options.folder(settings, version)), fix=fix)
    packages = {package for item in done for package in item.packages}
    verdict = settings.gate().judge(packages)
    names = [item.name for item in done]
    data = {"signed": names, "vulnerabilities": {"state": verdict.state, "reason": verdict.reason}}
    report.emit(data, as_json, "\n".join([*names, f"vulnerabilities: {verdict.state} {verdict.reason}".rstrip()]))


def source() -> Source:
    """The commit that this checkout is at, and its locks."""
    change = git.last_change(ROOT, SOURCES)
    locks = [name for name in git.tracked(ROOT, ["docker"]) if "/locks/" in name]
    return Source(change.revision if change else "uncommitted", {name: sha256(ROOT / name) for name in locks})


def check_phase(manifest: Manifest, version: str) -> None:
    """Raise CheckError where the branch's phase forbids to publish this version today."""
    if (branch := branch_of(version)) != manifest.project.branch:
        fix = f"publish it from a checkout of {branch}"
        raise UsageError(
            f"{version} is of another branch", expected=f"of {manifest.project.branch}", got=branch, fix=fix
        )
    day = guard_day(manifest, today())
    verdict = may_publish(status_of(manifest, manifest.project.branch, day), version)
    if not verdict:
        raise CheckError(f"{version} may not be published", where="release/manifest.toml", got=verdict.reason)


def check(settings: Settings, version: str, as_json: bool) -> None:
    """Say whether a release is whole, has its statements and is allowed; asks for no target and no key."""
    known = load_manifest(MANIFEST)
    check_phase(known, version)
    release = options.material(settings, known, version)
    data = {"version": version, "complete": release.complete, "scope": release.scope}
    counted = {"files": len(release.files), "images": len(list(release.images))}
    text = f"{version} is whole: {', '.join(f'{count} {kind}' for kind, count in counted.items())}"
    report.emit({**data, **counted}, as_json, text)


def plan(settings: Settings, version: str, as_json: bool) -> None:
    """Check everything that can be checked without writing, and print the steps and the digest to confirm."""
    known = load_manifest(MANIFEST)
    check_phase(known, version)
    release = options.material(settings, known, version)
    publisher = options.publisher(settings, known)
    publisher.check(release)
    made = publisher.plan(release)
    report.emit(made.as_dict(), as_json, plan_text(made))


def plan_text(made: Plan) -> str:
    rows = [(str(number), step.kind, step.what, step.digest[:19]) for number, step in enumerate(made.steps, 1)]
    scope = "every row of the manifest" if made.complete else f"a partial pre-release of {', '.join(made.scope)}"
    head = f"{made.version} to {made.store} and {made.registry}: {scope}\n"
    digest = f"\nplan {made.digest}\nnothing was written; `release.publish --confirm` with this digest carries it out"
    return head + report.table(("", "step", "what", "digest"), rows) + digest


def publish(settings: Settings, version: str, confirm: str | None, as_json: bool) -> None:
    """Carry out the plan that was confirmed by its digest; without one, print the plan."""
    if not confirm:
        plan(settings, version, as_json)
        return
    known = load_manifest(MANIFEST)
    check_phase(known, version)
    publisher = options.publisher(settings, known)
    with report.step(f"publishing {version}"):
        outcome = publisher.publish(options.material(settings, known, version), confirm)
    memory.remember(publisher.targets.store.where, outcome.serial)
    data = {"version": version, "done": outcome.done, "earlier": outcome.earlier, "serial": outcome.serial}
    text = f"{version} is published: {len(outcome.done)} steps now, {outcome.earlier} before; index {outcome.serial}"
    report.emit(data, as_json, text)


def verify(settings: Settings, version: str | None, as_json: bool) -> None:
    """Check what is published with the key of this checkout; exit 1 names everything that was changed."""
    trusted = keys.load_trusted(settings.trusted_path())
    store = options.store_of(settings.option("store"), "publish")
    registry = options.registry_of(settings.option("registry"), "publish")
    found = Verifier(store, registry, trusted, utc_now(), memory.seen(store.where)).verify(version)
    counted = ", ".join(f"{count} {kind}" for kind, count in found.checked.items())
    report.emit(vars(found), as_json, f"index {found.serial}: {', '.join(found.versions)}; checked {counted}")
    if found.problems:
        fix = "do not use it; tell the release team"
        got = "\n" + "\n".join(found.problems)
        raise CheckError(f"{len(found.problems)} things are not as they were signed", got=got, fix=fix)
    memory.remember(store.where, found.serial)


def renew(settings: Settings, as_json: bool) -> None:
    made = upkeep.renew(options.publisher(settings, load_manifest(MANIFEST)))
    data: Mapping[str, object] = {"serial": made.serial, "expires": made.expires}
    report.emit(data, as_json, f"index {made.serial} is valid until {made.expires}")


def end_of_life(settings: Settings, version: str, on: str | None, as_json: bool) -> None:
    day = parse_day(on, "--on")
    done = upkeep.end_of_life(options.publisher(settings, load_manifest(MANIFEST)), version, day)
    report.emit(
        {"version": version, "on": day, "digests": done}, as_json, f"{version} ends on {day}: {len(done)} images"
    )


def clean(settings: Settings, days: int, abandoned: str | None, as_json: bool) -> None:
    if days < 0:
        raise UsageError("an age is not negative", where="--days", expected="0 or more", got=str(days))
    if abandoned:
        parse_version(abandoned)
    gone = upkeep.clean(options.publisher(settings, load_manifest(MANIFEST)), days, abandoned or "")
    report.emit({"removed": gone}, as_json, "\n".join(gone) or "nothing to remove")


def rehearse(version: str, kills: int, seed: int, keep: bool, as_json: bool) -> None:
    """A whole release on this machine alone; exit 1 when any part of it fails."""
    from ci.rehearsal import driver

    parse_version(version)
    if kills < 0:
        raise UsageError(
            "a process cannot be killed less than never", where="--kills", expected="0 or more", got=str(kills)
        )
    outcome = driver.rehearse(version, kills, seed, keep)
    text = f"{version}: {', '.join(outcome.done)}; killed before {', '.join(outcome.killed) or 'no step'}"
    report.emit(vars(outcome), as_json, text)
