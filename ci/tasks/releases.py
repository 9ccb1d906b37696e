"""Tasks of the group `release`."""

from __future__ import annotations

from typing import Any

from ci.cli import DAY, JSON, command

ROW = "publish this row alone, as a partial pre-release (repeatable): an image row or a wheel's tag"
SETTINGS = "a TOML file with store, registry, key, trust and feed (default: the variables MINDSPORE_RELEASE_STORE, ...)"
VERSION = "the version"


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


@command(
    version=VERSION,
    kills="how often to kill it",
    seed="decides where (default: while staging, while promoting, before the announcement)",
    keep="keep the folder",
    json=JSON,
)
def release_rehearse(
    _: Any, version: str, kills: int = 3, seed: int = 275, keep: bool = False, json: bool = False
) -> None:
    """Do a whole release of the default row on loopback, from build to end of life; leaves nothing behind.

    Example: python3 tasks.py release.rehearse 2.0.0rc1
    """
    from ci import release_commands

    release_commands.rehearse(version, kills, seed, keep, json)
