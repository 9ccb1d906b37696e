"""Python packages for images: locked by hash here, downloaded outside, installed inside without network."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ci.engine import Runner
from ci.errors import ProjectFileError
from ci.files import need_space, replacing_dir, sha256, write_text
from ci.paths import ROOT, cache_dir
from release.fields import python_tag
from release.rows import ImageRow, Kind

PACKAGES = "packages.toml"
GLIBC = 28
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class Lock:
    """The locked packages of one Python on one architecture, for the `devel` or the `runtime` image.

    `hardware` and `stack` name the vendor's packages that come with them: those of `docker/<hardware>/packages.toml`.
    """

    python: str
    arch: str
    kind: str
    hardware: str = "cpu"
    stack: str | None = None

    @property
    def path(self) -> Path:
        parts = [python_tag(self.python), *([self.stack] if self.stack else []), self.arch]
        return Path("docker") / self.hardware / "locks" / f"{'-'.join(parts)}.{self.kind}.txt"

    def platform_options(self) -> list[str]:
        """pip's options for wheels that fit this Python and this architecture with our oldest C library."""
        tags = [f"manylinux_2_{minor}_{self.arch}" for minor in range(GLIBC, 16, -1)] + [f"manylinux2014_{self.arch}"]
        platforms = [f"--platform={tag}" for tag in tags]
        return ["--only-binary=:all:", f"--python-version={self.python}", *platforms]


def lock_for(row: ImageRow, kind: Kind) -> Lock:
    """A release image adds only our wheel to the runtime image, so they share a lock; so do rows without vendor's packages."""
    name: Kind = "devel" if kind == "devel" else "runtime"
    if row.stack and row.stack in vendor_packages(row.hardware):
        return Lock(row.python, row.arch, name, row.hardware, row.stack)
    return Lock(row.python, row.arch, name)


def vendor_packages(hardware: str, root: Path = ROOT) -> dict[str, dict[str, list[str]]]:
    """For each stack of the hardware that comes as Python packages, what `runtime` needs and what `devel` adds."""
    path = root / "docker" / hardware / PACKAGES
    found: dict[str, dict[str, list[str]]] = tomllib.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def requirements(lock: Lock, root: Path = ROOT) -> list[str]:
    """What pyproject.toml asks for: the package's own dependencies and pip; `devel` adds all that builds the wheel."""
    data = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    wanted: list[str] = [*data["project"]["dependencies"], "pip"]
    vendor = vendor_packages(lock.hardware, root).get(lock.stack or "", {})
    wanted += vendor.get("runtime", [])
    if lock.kind == "devel":
        wanted += data["build-system"]["requires"] + data["dependency-groups"]["build"] + vendor.get("devel", [])
    return wanted


def lock_text(lock: Lock, report: dict[str, Any]) -> str:
    """A requirements file with one hash per package from pip's installation report."""
    lines = []
    for item in report["install"]:
        name, version = item["metadata"]["name"], item["metadata"]["version"]
        digest = item["download_info"]["archive_info"]["hashes"]["sha256"]
        lines.append(f"{name.lower().replace('_', '-')}=={version} --hash=sha256:{digest}")
    head = f"# Locked by `image.lock` from pyproject.toml for Python {lock.python} on {lock.arch}; do not edit.\n"
    return head + "\n".join(sorted(lines)) + "\n"


def resolve(runner: Runner, python: str, lock: Lock, root: Path = ROOT) -> None:
    """Resolve the newest fitting versions anew and write the lock; only a person asks for this."""
    with replacing_dir(cache_dir("resolve") / lock.path.stem) as scratch:
        report = scratch / "report.json"
        command = [python, "-m", "pip", "--disable-pip-version-check", "install", "--dry-run", "--ignore-installed"]
        command += ["--quiet", f"--target={scratch}", f"--report={report}", *lock.platform_options()]
        runner.run([*command, *requirements(lock)], kind="downloads", log="wheelhouse", env={"PIP_FIND_LINKS": ""})
        text = lock_text(lock, json.loads(report.read_text(encoding="utf-8")))
    write_text(root / lock.path, text)


def read(lock: Lock, root: Path = ROOT) -> str:
    """The lock's text; ProjectFileError when it is missing or holds a line without a hash."""
    path = root / lock.path
    if not path.exists():
        raise ProjectFileError(
            "a lock file is missing",
            where=str(lock.path),
            fix="run `python3 tasks.py image.lock` and commit the result",
        )
    text = path.read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#") and not HASH.search(line):
            raise ProjectFileError(
                "a locked package has no hash", where=f"{lock.path}:{number}", expected="--hash=sha256:...", got=line
            )
    return text


def ensure(runner: Runner, python: str, lock: Lock, root: Path = ROOT) -> Path:
    """The folder with the lock's wheels and itself as requirements.txt; downloads only what no earlier run has."""
    text = read(lock, root)
    house = cache_dir("wheelhouse") / (lock.path.stem if lock.stack is None else f"{lock.hardware}-{lock.path.stem}")
    if not _complete(house, text):
        need_space(house, 1024, f"the Python packages of {lock.path.name}")
        with replacing_dir(house) as scratch:
            source = scratch / "requirements.txt"
            source.write_text(text, encoding="utf-8")
            command = [python, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
            command += ["--require-hashes", f"--dest={scratch}", *lock.platform_options(), f"--requirement={source}"]
            runner.run(command, kind="downloads", log="wheelhouse")
    return house


def _complete(house: Path, text: str) -> bool:
    requirements_file = house / "requirements.txt"
    if not requirements_file.exists() or requirements_file.read_text(encoding="utf-8") != text:
        return False
    return set(HASH.findall(text)) <= {sha256(wheel) for wheel in house.glob("*.whl")}
