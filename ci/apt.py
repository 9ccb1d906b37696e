"""Asks apt, in a world of its own, which packages an image of some system needs; only a person asks for this."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote

from ci.debs import Deb
from ci.engine import Runner
from ci.errors import CheckError, CommandError

ESSENTIAL = ("?essential", "apt", "usr-is-merged")
DEBIAN_ARCH = {"x86_64": "amd64", "aarch64": "arm64"}
URI = re.compile(r"^'([^']+)' ", re.MULTILINE)


@dataclass(frozen=True)
class Archive:
    """A distribution's archive: its address, its key, and its suites as (folder, suite) pairs."""

    address: str
    keyring: str
    suites: tuple[tuple[str, str], ...]

    def sources(self) -> str:
        lines = (f"deb [signed-by={self.keyring}] {self.address}/{top} {suite} main\n" for top, suite in self.suites)
        return "".join(lines)


def debian(suite: str, keyring: str) -> Archive:
    """Debian's archive with the updates and the security fixes of `suite`."""
    suites = (("debian", suite), ("debian", f"{suite}-updates"), ("debian-security", f"{suite}-security"))
    return Archive("https://deb.debian.org", keyring, suites)


def moment() -> str:
    """Now, as the archive's snapshots are named."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")


class World:
    """An empty system of one architecture that has only seen the archive's lists."""

    def __init__(self, runner: Runner, archive: Archive, arch: str, root: Path) -> None:
        self.runner, self.archive, self.root = runner, archive, root
        for name in ("state/lists/partial", "cache/archives/partial"):
            (root / name).mkdir(parents=True)
        (root / "status").touch()
        (root / "sources.list").write_text(archive.sources(), encoding="utf-8")
        machine = DEBIAN_ARCH[arch]
        options = {
            "Dir::State": root / "state",
            "Dir::State::status": root / "status",
            "Dir::Cache": root / "cache",
            "Dir::Etc::SourceList": root / "sources.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Etc::Preferences": "/dev/null",
            "Dir::Etc::PreferencesParts": "/dev/null",
            "APT::Architecture": machine,
            "APT::Architectures": machine,
            "APT::Sandbox::User": "root",
        }
        self.options = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        runner.run(["apt-get", *self.options, "update"], kind="downloads", log="lock")

    def needs(self, names: tuple[str, ...]) -> dict[str, Deb]:
        """Every package that installing `names` into the empty system brings, by name."""
        command = ["apt-get", *self.options, "-y", "--no-install-recommends", "--print-uris", "install"]
        answer = self.runner.read([*command, *ESSENTIAL, *names])
        if answer.code:
            raise CommandError(command, answer.code, answer.stdout + answer.stderr)
        paths = [uri.removeprefix(f"{self.archive.address}/") for uri in URI.findall(answer.stdout)]
        return self._described(paths)

    def _described(self, paths: list[str]) -> dict[str, Deb]:
        """Names, versions and hashes from apt's lists, matched with the files that it would take."""
        wanted = {unquote(path).split("/", 1)[1]: path for path in paths}
        names = sorted({path.rsplit("/", 1)[-1].split("_", 1)[0] for path in wanted})
        shown = self.runner.read(["apt-cache", *self.options, "show", *names])
        found: dict[str, Deb] = {}
        for stanza in shown.stdout.split("\n\n"):
            fields = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line and line[0] != " ")
            if path := wanted.get(fields.get("Filename", "")):
                found[fields["Package"]] = Deb(fields["Package"], fields["Version"], fields["SHA256"], unquote(path))
        if len(found) != len(wanted):
            missing = sorted(set(map(unquote, paths)) - {deb.path for deb in found.values()})
            raise CheckError("apt does not describe what it would install", got=", ".join(missing))
        return found


def resolve(runner: Runner, archive: Archive, arch: str, names: dict[str, tuple[str, ...]]) -> dict[str, list[Deb]]:
    """The packages of the base image, and those that each of `names` adds to it."""
    with TemporaryDirectory(prefix="mindspore-apt-") as scratch:
        world = World(runner, archive, arch, Path(scratch))
        base = world.needs(())
        added = {
            kind: [deb for name, deb in world.needs(wanted).items() if name not in base]
            for kind, wanted in names.items()
        }
        return {"base": list(base.values()), **added}
