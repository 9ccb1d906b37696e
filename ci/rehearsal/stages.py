"""The stages of a rehearsal, in the process that may be killed: each is noted when it is done, and may be repeated."""

from __future__ import annotations

import json
import re
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from ci import engines, generate, git, images, report
from ci.cli import guarded
from ci.engine import Runner, RunRequest
from ci.errors import CheckError
from ci.files import write_text
from ci.paths import MANIFEST, ROOT
from ci.publish import memory, signing, upkeep
from ci.publish.collecting import collect, place
from ci.publish.gate import Gate, packages
from ci.publish.journal import Journal
from ci.publish.material import Release, gather
from ci.publish.plan import Step
from ci.publish.run import Publisher, utc_now
from ci.publish.settings import Settings
from ci.publish.settings import publisher as publisher_of
from ci.publish.trying import locked_packages
from ci.publish.verify import Verifier
from ci.rehearsal.driver import CONFIGURATION, KNOWN, Stage, ending_on
from ci.rehearsal.killer import Killer
from ci.release_commands import check_phase, source
from ci.shop import Shop
from ci.trust.keys import generate as make_key
from ci.trust.keys import load_signing
from ci.wheels import row_of_image
from release.days import today
from release.matrix import default_row, repository
from release.model import Manifest, load_manifest
from release.rows import ImageRow

VULNERABILITY = "REHEARSAL-1"
CURRENT = re.compile(r'^current = "[^"]+"$', re.MULTILINE)


@dataclass(frozen=True)
class Work:
    """What the stages share. The checkout is this process's own: a clone whose manifest names the version."""

    folder: Path
    told: Stage
    killer: Killer

    @property
    def manifest(self) -> Manifest:
        return load_manifest(MANIFEST)

    @property
    def row(self) -> ImageRow:
        return default_row(self.manifest)

    def shop(self) -> Shop:
        runner = Runner()
        return Shop(engines.detect(runner), runner, self.manifest)

    @property
    def scope(self) -> tuple[str, ...]:
        return (row_of_image(self.shop(), self.row).tag, self.row.id)

    @property
    def allowed(self) -> Path:
        return self.folder / "vulnerabilities.toml"

    @property
    def key(self) -> Path:
        return self.folder / "key"

    def release(self) -> Release:
        return gather(self.manifest, self.told.version, place(ROOT, self.told.version), self.scope)

    def publisher(self) -> Publisher:
        store, trust = str(self.folder / "store"), str(self.folder / "key.pub")
        made = publisher_of(Settings(store, self.told.registry, str(self.key), trust), self.manifest)
        gate = Gate(self.told.feed, self.allowed)
        return replace(made, gate=gate, before=lambda step: self.killer.before(step.id), after=_quiet)


def _quiet(step: Step) -> None:
    """Steps are told of before they begin."""


def prepare(work: Work) -> None:
    """Make the clone a checkout of the version, and the key that it is signed with."""
    text = MANIFEST.read_text(encoding="utf-8")
    MANIFEST.write_text(CURRENT.sub(f'current = "{work.told.version}"', text), encoding="utf-8")
    generate.write(work.manifest)
    git.commit(ROOT, f"Version {work.told.version}")
    check_phase(work.manifest, work.told.version)
    if not work.key.with_name("key.pub").exists():
        work.key.unlink(missing_ok=True)
        make_key(work.key)


def build(work: Work) -> None:
    images.build(work.shop(), work.row, work.row.kinds)


def sign(work: Work) -> None:
    collect(work.manifest, work.told.version, ROOT, work.scope)
    signing.sign(place(ROOT, work.told.version), work.told.version, load_signing(work.key), source())


def judge(work: Work) -> None:
    """A dependency with a known vulnerability stops the publication, also when it was allowed until yesterday."""
    release, publisher = work.release(), work.publisher()
    bad = next(purl for purl in packages(release, publisher.trusted) if purl.startswith("pkg:pypi/numpy@"))
    write_text(work.folder / KNOWN, json.dumps({bad: [VULNERABILITY]}))
    for until in (None, today() - timedelta(days=1)):
        _allow(work, until)
        try:
            publisher.publish(release, publisher.plan(release).digest)
        except CheckError as error:
            if VULNERABILITY not in str(error):
                raise
            report.say(f"    refused: {error.got}")
        else:
            raise CheckError("a known vulnerability did not stop the publication", got=bad)
    _allow(work, today())


def _allow(work: Work, until: date | None) -> None:
    entry = f'[[allow]]\nid = "{VULNERABILITY}"\nuntil = {until}\nreason = "a rehearsal"\n' if until else ""
    write_text(work.allowed, entry)


def publish(work: Work) -> None:
    """Stage, test, promote and announce: every step of its journal is one that the process may be killed before."""
    publisher, release = work.publisher(), work.release()
    outcome = publisher.publish(release, publisher.plan(release).digest)
    memory.remember(publisher.targets.store.where, outcome.serial)


def install(work: Work) -> None:
    """pip takes the wheel from our index, and what it needs from the locked wheels; then the self-check runs."""
    venv = work.folder / "venv"
    shutil.rmtree(venv, ignore_errors=True)
    runner = Runner(work.folder / "logs")
    runner.run([sys.executable, "-m", "venv", str(venv)], log="install")
    house = locked_packages(runner)(row_of_image(work.shop(), work.row))
    words = ["-m", "pip", "--isolated", "--disable-pip-version-check", "install", "--no-cache-dir"]
    words += [f"--index-url={work.told.index}", f"--find-links={house}", f"mindspore=={work.told.version}"]
    runner.run([str(venv / "bin" / "python"), *words], log="install")
    runner.run([str(venv / "bin" / "python"), "-m", "mindspore"], log="install", cwd=work.folder)


def pull(work: Work) -> None:
    """The engine pulls the published tag and runs the image's self-check without network, as a stranger."""
    runner = Runner(work.folder / "logs")
    host = work.told.registry.split("://", 1)[1]
    name = f"{host}/{repository(work.manifest, work.row)}:{work.told.version}"
    found = engines.detect(runner)
    if not found.pull(name):
        raise CheckError("the published image cannot be pulled", where=name)
    done = found.run(RunRequest(name, ["python3", "-m", "mindspore"], user="4242:4242"))
    if done.code:
        raise CheckError("the published image does not work", where=name, got=done.stdout + done.stderr)


def verify(work: Work) -> None:
    publisher = work.publisher()
    store = publisher.targets.store
    verifier = Verifier(store, publisher.targets.registry, publisher.trusted, utc_now(), memory.seen(store.where))
    found = verifier.verify(work.told.version)
    if found.problems:
        raise CheckError("the published release does not verify", got="\n".join(found.problems))
    report.say(f"    verified: {', '.join(f'{count} {kind}' for kind, count in found.checked.items())}")


def end(work: Work) -> None:
    """The version's life ends: said of every image; everything still verifies afterwards."""
    upkeep.end_of_life(work.publisher(), work.told.version, today())
    upkeep.clean(work.publisher(), days=0)
    verify(work)


STAGES: tuple[Callable[[Work], None], ...] = (prepare, build, sign, judge, publish, install, pull, verify, end)


def main(folder: Path, count: int) -> None:
    """Do the stages that the journal does not have."""
    told = Stage(**json.loads((folder / CONFIGURATION).read_text(encoding="utf-8")))
    work = Work(folder, told, Killer(folder, count))
    with Journal(folder / "rehearsal.jsonl").open() as journal:
        for stage in STAGES:
            if stage.__name__ in journal.done:
                continue
            work.killer.before(stage.__name__)
            with report.step(stage.__name__):
                stage(work)
            journal.note(stage.__name__)
    names = "".join(f"{stage.__name__}\n" for stage in STAGES)
    (folder / "done").write_text(names, encoding="utf-8")


if __name__ == "__main__":
    with ending_on(signal.SIGTERM):
        guarded(main, Path(sys.argv[1]), int(sys.argv[2]))
