"""The project's tasks. `python3 tasks.py TASK...` sets up what the tasks need, then runs them; `invoke TASK...` does too."""

from __future__ import annotations

import sys

from ci import bootstrap

if __name__ == "__main__":
    bootstrap.start(sys.argv[1:])

from typing import Any

from invoke.collection import Collection

from ci import artefact_tasks
from ci.artefact_tasks import JSON
from ci.cli import command

DAY = "the day to look at, YYYY-MM-DD (default: today)"


@command(json=JSON)
def setup(_: Any, json: bool = False) -> None:
    """Install and start what building and testing need from the system (as root on Debian or Ubuntu).

    Example: python3 tasks.py setup build --target cpu
    """
    from ci import commands

    commands.setup(json)


@command(
    target="the hardware: cpu, gpu or ascend",
    os="the system of the images, such as debian12, or all",
    arch="x86_64, aarch64 or all",
    python="the images' Python, such as 3.11, or all",
    kind="devel, runtime or release (default: all three)",
    stack="the vendor's libraries, such as cuda13, or all",
    json=JSON,
)
def build(
    _: Any,
    target: str = "cpu",
    os: str | None = None,
    arch: str | None = None,
    python: str | None = None,
    kind: str | None = None,
    stack: str | None = None,
    json: bool = False,
) -> None:
    """Build the wheel and the images of a target; what did not change is left alone.

    Example: python3 tasks.py build --target cpu --kind runtime
    """
    from ci import commands

    commands.build(target, {"os": os, "arch": arch, "python": python, "kind": kind, "stack": stack}, json)


@command("path", path="run only this test file or folder (repeatable)", images="leave the images out with --no-images")
def run_tests(_: Any, path: list[str], images: bool = True) -> None:
    """Build what the tests need, then run all of them, linters included; the last line is pytest's summary.

    Example: python3 tasks.py test --path tests/ci --no-images
    """
    from ci import commands

    sys.exit(commands.test(path, images))


@command(command="what to run (default: the image's self-check)", image="the image (default: mindspore-cpu)")
def run(_: Any, command: str = "", image: str = "") -> None:
    """Run a command in an image of this machine.

    Example: python3 tasks.py run --command bash
    """
    from ci import commands

    sys.exit(commands.run(command, image))


@command(check="only say which files differ, and exit 1 if any does", json=JSON)
def generate(_: Any, check: bool = False, json: bool = False) -> None:
    """Write the files that follow from the manifest and the templates.

    Example: python3 tasks.py generate --check
    """
    from ci import commands

    commands.drift(check, json)


@command(json=JSON)
def doctor(_: Any, json: bool = False) -> None:
    """Look at this machine: engine, disk, processor, Python; each with its state and the way to mend it.

    Example: python3 tasks.py doctor --json
    """
    from ci import commands

    commands.doctor(json)


@command(kind="the sanitizer: address, undefined or thread")
def sanitize(_: Any, kind: str = "address") -> None:
    """Run the native tests on a build with a sanitizer of the compiler.

    Example: python3 tasks.py sanitize --kind thread
    """
    from ci import commands

    sys.exit(commands.sanitize(kind))


@command(json=JSON)
def lint(_: Any, json: bool = False) -> None:
    """Run ruff, mypy and clang-format over the sources.

    Example: python3 tasks.py lint
    """
    from ci import commands

    commands.lint(json)


@command(as_of=DAY, json=JSON)
def branch_status(_: Any, as_of: str | None = None, json: bool = False) -> None:
    """Print every branch's phase and dates.

    Example: python3 tasks.py branch.status --as-of 2022-11-01
    """
    from ci import branch_commands

    branch_commands.status(as_of, json)


@command(
    branch="with --change: the branch",
    change="only ask whether the branch takes changes",
    tag="only ask whether this version may be tagged",
    as_of=DAY,
    json=JSON,
)
def branch_check(
    _: Any,
    branch: str = "",
    change: bool = False,
    tag: str | None = None,
    as_of: str | None = None,
    json: bool = False,
) -> None:
    """Check the branches against the policy; exit 1 when one is overdue or out of order, or a guard refuses.

    Example: python3 tasks.py branch.check r2.0 --change
    """
    from ci import branch_commands

    branch_commands.guard(branch or None, change, tag, as_of, json)


@command(as_of=DAY, form="table, json, ical or svg", json="the same as --form json")
def branch_plan(_: Any, as_of: str | None = None, form: str = "table", json: bool = False) -> None:
    """Print what changes in the coming year: branches, systems, Pythons.

    Example: python3 tasks.py branch.plan --form ical
    """
    from ci import branch_commands

    branch_commands.coming(as_of, "json" if json else form)


@command(
    branch="the branch, such as r2.0; with --to Planning a new one",
    to="the phase that it enters (default: the planned one)",
    on="the day on which it did, YYYY-MM-DD (default: today)",
    following="the estimate for the phase after that (default: the policy's last day)",
    reason="accept what breaks the policy, and say why",
    confirm="write the change; without it, only show it",
)
def branch_advance(
    _: Any,
    branch: str,
    to: str | None = None,
    on: str | None = None,
    following: str | None = None,
    reason: str | None = None,
    confirm: bool = False,
) -> None:
    """Move a branch to its next phase: edits the manifest and what is generated from it, as a change to review.

    Example: python3 tasks.py branch.advance r2.1 --to Planning
    """
    from ci import branch_commands

    branch_commands.advance(branch, to, on, following, reason, confirm)


@command()
def branch_hook(_: Any) -> None:
    """Install git hooks that refuse merges into, and pushes to, branches that take no changes, and their tags.

    Example: python3 tasks.py branch.hook
    """
    from ci import branch_commands

    branch_commands.install_hooks()


@command(json=JSON)
def release_state(_: Any, json: bool = False) -> None:
    """Print whether each wheel and image was built and run, built, or only rendered.

    Example: python3 tasks.py release.state --json
    """
    from ci import evidence

    evidence.show(json)


@command(folder="the folder with the evidence, such as build/evidence")
def release_evidence(_: Any, folder: str) -> None:
    """Take what tests have shown of wheels and images, by digest, into the repository and its tables.

    Example: python3 tasks.py release.evidence build/evidence
    """
    from pathlib import Path

    from ci import evidence

    evidence.take(Path(folder))


@command(
    old="the wheel of the older version",
    new="with --old: the wheel of the newer version",
    confirm="put the fragments into RELEASE.md; without it, only show them",
    json=JSON,
)
def release_notes(
    _: Any, old: str | None = None, new: str | None = None, confirm: bool = False, json: bool = False
) -> None:
    """Put the fragments of release/fragments/ together, or tell what changed between two wheels.

    Example: python3 tasks.py release.notes --old mindspore-2.0.0rc1.whl --new mindspore-2.0.0.whl
    """
    from ci import notes

    notes.answer(old, new, confirm, json)


@command(change="only what differs from this branch or commit", json=JSON)
def ci_matrix(_: Any, change: str | None = None, json: bool = False) -> None:
    """Print the jobs of images and wheels for a CI system, as include lists.

    Example: python3 tasks.py ci.matrix --json --change main
    """
    from ci import matrix_commands

    matrix_commands.show(json, change)


@command(shard="the job's name, from ci.matrix", change="do nothing unless this difference touches it", json=JSON)
def ci_shard(_: Any, shard: str, change: str | None = None, json: bool = False) -> None:
    """Do one job of the matrix: build the images on one base, or one wheel.

    Example: python3 tasks.py ci.shard debian12-x86_64
    """
    from ci import matrix_commands

    matrix_commands.run(shard, change, json)


@command()
def ci_render(_: Any) -> None:
    """Write the pipelines for GitHub Actions, GitLab CI and Jenkins.

    Example: python3 tasks.py ci.render
    """
    from ci import matrix_commands

    matrix_commands.render()


ROW = "publish this row alone, as a partial pre-release (repeatable): an image row or a wheel's tag"
SETTINGS = "a TOML file with store, registry, key and trust (default: the variables MINDSPORE_RELEASE_STORE, ...)"
VERSION = "the version"


@command(path="where to write the private key; the public one lies beside it as PATH.pub")
def release_key(_: Any, path: str) -> None:
    """Make the key that releases are signed with.

    Example: python3 tasks.py release.key ~/release-key
    """
    from ci import release_commands

    release_commands.key(path)


@command("row", version=VERSION, row=ROW, settings=SETTINGS, json=JSON)
def release_sign(_: Any, version: str, row: list[str], settings: str | None = None, json: bool = False) -> None:
    """Gather the wheels and images that were built, and sign their bills of materials and provenance.

    Example: python3 tasks.py release.sign 2.0.0rc1
    """
    from ci import release_commands

    release_commands.sign(release_commands.settings(settings, row), version, json)


@command("row", version=VERSION, row=ROW, json=JSON)
def release_check(_: Any, version: str, row: list[str], json: bool = False) -> None:
    """Check that a release is whole, has its statements and may be published; needs neither targets nor a key.

    Example: python3 tasks.py release.check 2.0.0rc1
    """
    from ci import release_commands

    release_commands.check(release_commands.settings(None, row), version, json)


@command("row", version=VERSION, row=ROW, settings=SETTINGS, json=JSON)
def release_plan(_: Any, version: str, row: list[str], settings: str | None = None, json: bool = False) -> None:
    """Check that a release is whole and may be published, and print its steps and their digest; writes nothing.

    Example: python3 tasks.py release.plan 2.0.0rc1 --settings ~/staging.toml
    """
    from ci import release_commands

    release_commands.plan(release_commands.settings(settings, row), version, json)


@command("row", version=VERSION, row=ROW, settings=SETTINGS, confirm="the digest that release.plan printed", json=JSON)
def release_publish(
    _: Any, version: str, row: list[str], settings: str | None = None, confirm: str | None = None, json: bool = False
) -> None:
    """Stage, test and promote a release; the same command goes on where an earlier run was cut off.

    Example: python3 tasks.py release.publish 2.0.0rc1 --confirm DIGEST
    """
    from ci import release_commands

    release_commands.publish(release_commands.settings(settings, row), version, confirm, json)


@command(version="the version (default: all)", settings=SETTINGS, json=JSON)
def release_verify(_: Any, version: str | None = None, settings: str | None = None, json: bool = False) -> None:
    """Check index, files, images, statements and pages of what is published; exit 1 when anything was changed.

    Example: python3 tasks.py release.verify --version 2.0.0rc1
    """
    from ci import release_commands

    release_commands.verify(release_commands.settings(settings), version, json)


@command(settings=SETTINGS, json=JSON)
def release_renew(_: Any, settings: str | None = None, json: bool = False) -> None:
    """Sign the published index anew, before it expires.

    Example: python3 tasks.py release.renew
    """
    from ci import release_commands

    release_commands.renew(release_commands.settings(settings), json)


@command(version=VERSION, on=DAY, settings=SETTINGS, json=JSON)
def release_end(_: Any, version: str, on: str | None = None, settings: str | None = None, json: bool = False) -> None:
    """Attach the end of life to a version's images and its entry in the index; nothing is removed.

    Example: python3 tasks.py release.end 2.0.0rc1 --on 2027-08-22
    """
    from ci import release_commands

    release_commands.end_of_life(release_commands.settings(settings), version, on, json)


@command(days="versions that are younger keep theirs", abandoned="also this version's", settings=SETTINGS, json=JSON)
def release_clean(
    _: Any, days: int = 14, abandoned: str | None = None, settings: str | None = None, json: bool = False
) -> None:
    """Remove staging artefacts that nobody needs any more.

    Example: python3 tasks.py release.clean --days 30
    """
    from ci import release_commands

    release_commands.clean(release_commands.settings(settings), days, abandoned, json)


@command(version=VERSION, kills="how often to kill it", seed="decides where", keep="keep the folder", json=JSON)
def release_rehearse(
    _: Any, version: str, kills: int = 3, seed: int = 7, keep: bool = False, json: bool = False
) -> None:
    """Do a whole release of the default row on loopback, from build to end of life; leaves nothing behind.

    Example: python3 tasks.py release.rehearse 2.0.0rc1
    """
    from ci import release_commands

    release_commands.rehearse(version, kills, seed, keep, json)


def _group(name: str, **others: Any) -> Collection:
    """The tasks of this file, and of that for artefacts, whose names start with that of the group, and `others`."""
    group = Collection(name)
    every = vars(artefact_tasks) | globals()
    own = {key.removeprefix(f"{name}_"): task for key, task in every.items() if key.startswith(f"{name}_")}
    for member, body in (others | own).items():
        group.add_task(body, name=member)
    return group


namespace = Collection(setup, build, run, generate, doctor, lint, sanitize)
for _name in ("wheel", "branch", "release", "ci"):
    namespace.add_collection(_group(_name))
namespace.add_collection(_group("image", build=build))
namespace.add_task(run_tests, name="test")
