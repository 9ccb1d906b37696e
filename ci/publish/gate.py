"""The gate of vulnerabilities: what is known today about the packages of a release's signed bills stops it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from packaging.version import Version as Pep440

from ci import report
from ci.errors import CheckError
from ci.paths import ROOT
from ci.publish.material import Release
from ci.publish.store import open_payload
from ci.trust import sbom, vulnerabilities
from ci.trust.bundle import read_statement
from ci.trust.keys import TrustedKey
from ci.trust.statements import TYPES
from ci.trust.vulnerabilities import FEED, Verdict
from release.days import today

ALLOWED = ROOT / "release" / "vulnerabilities.toml"
BILL = ".sbom.json"


@dataclass(frozen=True)
class Gate:
    """Asks `feed` and obeys the dated list `allowed`, both on the day on which something is to be published."""

    feed: str = FEED
    allowed: Path = ALLOWED
    day: Callable[[], date] = today

    def judge(self, packages: Iterable[str]) -> Verdict:
        """What is known about the packages; CheckError names every vulnerability that nobody has allowed until today."""
        listed, day = vulnerabilities.load_allowed(self.allowed), self.day()
        verdict = vulnerabilities.check(sorted(set(packages)), listed, day, self.feed)
        if verdict.state == "failed":
            ended = {item.id: f" (was allowed until {item.until})" for item in listed if item.until < day}
            found = [item for item in verdict.findings if not item.allowed]
            got = "; ".join(f"{item.id} in {item.package}{ended.get(item.id, '')}" for item in found)
            fix = f"update the packages, or allow each until a day in {self.allowed.name}"
            raise CheckError("packages with known vulnerabilities", where=str(self.allowed), got=got, fix=fix)
        return verdict

    def check(self, release: Release, trusted: Sequence[TrustedKey]) -> Verdict:
        """The verdict on a release; a final one must have been checked, for "not checked" is no "passed"."""
        verdict = self.judge(packages(release, trusted))
        if verdict.state == "not checked" and not Pep440(release.version).is_prerelease:
            fix = "make the feed reachable, or name a mirror of it as `feed` in the settings"
            problem = "nobody could say whether the packages have known vulnerabilities"
            raise CheckError(problem, where=self.feed, got=verdict.reason, fix=fix)
        report.say(f"vulnerabilities: {verdict.state} {verdict.reason}".rstrip())
        return verdict


def packages(release: Release, trusted: Sequence[TrustedKey]) -> Iterator[str]:
    """The packages of all signed bills of a release, each checked to be about its own artefact."""
    files = {file.path: file for file in release.files}
    for path, file in files.items():
        if path.endswith(BILL):
            yield from _packages(open_payload(file.payload), trusted, files[path.removesuffix(BILL)].sha256, path)
    for member in release.images:
        digest = member.image.manifest.digest.removeprefix("sha256:")
        for statement in member.statements:
            if statement.name == "sbom":
                yield from _packages(statement.data, trusted, digest, f"{member.slug} sbom")


def _packages(data: bytes, trusted: Sequence[TrustedKey], digest: str, where: str) -> list[str]:
    return sbom.packages(read_statement(data, trusted, TYPES["sbom"], digest, where))
