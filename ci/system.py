"""Puts in place what a task needs from the operating system, and nothing that is there already."""

from __future__ import annotations

import os
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path

from ci import engines, report
from ci.engine import CliEngine, Runner
from ci.errors import CommandError, MissingPartError, NoEngineError
from ci.files import write_text
from ci.paths import state_dir

SYSTEMD = Path("/run/systemd/system")
ENGINE_TIMEOUT = 60.0
PLAIN_NETWORK = ["--bridge=none", "--iptables=false"]


@dataclass(frozen=True)
class Part:
    """Something of the operating system: is it there, and which Debian/Ubuntu packages bring it?"""

    name: str
    present: bool
    packages: tuple[str, ...]


def os_release() -> dict[str, str]:
    """The fields of /etc/os-release; empty where there is none."""
    path = Path("/etc/os-release")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {key: value.strip('"') for key, _, value in (line.partition("=") for line in lines) if value}


def has_headers() -> bool:
    return (Path(sysconfig.get_paths()["include"]) / "Python.h").exists()


def python_packages(suffix: str) -> tuple[str, ...]:
    """Debian's packages for this interpreter: `python3-dev` for its own, nothing for one from elsewhere."""
    own = Path(sys.base_prefix) == Path("/usr")
    return (f"python{sys.version_info.major}.{sys.version_info.minor}-{suffix}",) if own else ()


def parts(runner: Runner) -> list[Part]:
    """Everything that building and testing needs from the system, the engine aside."""
    keyring = Path("/usr/share/keyrings/debian-archive-keyring.gpg").exists()
    certificates = Path("/etc/ssl/certs/ca-certificates.crt").exists()
    return [
        Part("git", runner.find("git") is not None, ("git",)),
        Part("Python headers", has_headers(), python_packages("dev")),
        Part("mmdebstrap", runner.find("mmdebstrap") is not None, ("mmdebstrap",)),
        Part("Debian's archive keys", keyring, ("debian-archive-keyring",)),
        Part("docker-registry", runner.find("docker-registry") is not None, ("docker-registry",)),
        Part("certificates", certificates, ("ca-certificates",)),
    ]


def can_install(runner: Runner) -> bool:
    return os.geteuid() == 0 and runner.find("apt-get") is not None


def install(runner: Runner, wanted: list[Part]) -> None:
    """Install what is missing through apt, or raise MissingPartError that says exactly what to install."""
    missing = [part for part in wanted if not part.present]
    if not missing:
        return
    names = ", ".join(part.name for part in missing)
    packages = [package for part in missing for package in part.packages]
    without = [part.name for part in missing if not part.packages]
    if without or not can_install(runner):
        fix = f"apt-get install {' '.join(packages)}" if packages else "install them for this interpreter"
        raise MissingPartError(
            f"missing on this machine: {names}",
            expected="root on Debian or Ubuntu to install them"
            if not without
            else f"{sys.executable} with its headers",
            got=os_release().get("PRETTY_NAME", sys.platform) + f", user id {os.geteuid()}",
            fix=f"{fix}   (as root; other systems: the packages of the same purpose)",
        )
    try:
        with report.step(f"installing {names}"):
            apt_install(runner, packages)
    except CommandError as failure:
        fix = f"mend what apt says, then `apt-get install {' '.join(packages)}`"
        raise MissingPartError(f"apt could not install {names}", got=str(failure), fix=fix) from failure


def apt_install(runner: Runner, packages: list[str]) -> None:
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=120"]
    runner.run([*apt, "update"], kind="downloads", log="setup", env=environment)
    install_options = ["install", "-y", "--no-install-recommends"]
    runner.run([*apt, *install_options, *packages], kind="downloads", log="setup", env=environment)


def ensure_engine(runner: Runner) -> CliEngine:
    """The engine that comes first, docker started if it is down; else one that works; else docker, installed and started."""
    try:
        found, reason = engines.detect(runner), "docker is down"
    except NoEngineError as refusal:
        if os.geteuid() != 0:
            raise
        found, reason = None, refusal.got
    if found and not (os.geteuid() == 0 and _docker_is_down(runner, found)):
        return found
    report.say(f"no container engine answers yet ({reason})" if found is None else f"{reason}: starting it")
    try:
        return _start_docker(runner)
    except NoEngineError as refusal:
        if found is None:
            raise
        report.say(f"docker does not start ({refusal.got}): {found.name} it is")
        return found


def _docker_is_down(runner: Runner, found: CliEngine) -> bool:
    """Whether docker would come before the engine that was found, if only its daemon ran."""
    first = engines.installed(runner)[0].name
    return found.name != first == "docker" and runner.find("dockerd") is not None


def _start_docker(runner: Runner) -> CliEngine:
    install(runner, [Part("container engine", runner.find("dockerd") is not None, ("docker.io", "iptables"))])
    docker = CliEngine(runner, "docker")
    try:
        docker.version()
    except NoEngineError:
        with report.step("starting the container engine"):
            start_daemon(runner)
    return engines.detect(runner)


def start_daemon(runner: Runner) -> None:
    """Start dockerd: through systemd where it runs, else on our own, with fewer network features if it must."""
    if SYSTEMD.exists():
        runner.run(["systemctl", "start", "docker"], log="setup")
        return
    attempts: list[list[str]] = [[], PLAIN_NETWORK, [*PLAIN_NETWORK, "--storage-driver=vfs"]]
    if not any(_try_daemon(runner, options) for options in attempts):
        raise NoEngineError(
            "dockerd was installed but does not start",
            where=str(daemon_log()),
            got=_last_line(daemon_log()),
            fix="mend what the log names, or install podman",
        )


def daemon_log() -> Path:
    return state_dir() / "dockerd.log"


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    return lines[-1][:300] if lines else "nothing was logged"


def _try_daemon(runner: Runner, options: list[str]) -> bool:
    child = runner.detach(["dockerd", *options], daemon_log())
    write_text(state_dir() / "dockerd.pid", f"{child.pid}\n")
    client = CliEngine(runner, "docker")
    deadline = time.monotonic() + ENGINE_TIMEOUT
    while time.monotonic() < deadline and child.poll() is None:
        try:
            client.version()
        except NoEngineError:
            time.sleep(0.5)
        else:
            return True
    if child.poll() is None:
        child.terminate()
        child.wait()
    return False


def setup(runner: Runner) -> dict[str, str]:
    """Put everything in place; give what is now there, by name."""
    install(runner, parts(runner))
    chosen = ensure_engine(runner)
    return {"engine": f"{chosen.name} {chosen.version()}", "python": sys.version.split()[0]}
