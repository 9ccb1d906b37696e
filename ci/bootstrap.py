"""Makes `.venv` with what the named tasks need and goes on inside it; needs nothing but Python's standard library."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
from pathlib import Path

from ci import report, system
from ci.engine import INHERITED_DOWNLOADS, Runner
from ci.errors import CiError, MissingPartError, ProjectFileError
from ci.files import need_space, write_text
from ci.paths import ROOT, VENV

OLDEST = (3, 11)
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "mindspore-groups.json"
BASIC = ("tasks",)
PUBLISHING = ("tasks", "publish")
TESTS = ("tasks", "project", "publish", "test")
NEEDS = {
    "test": TESTS,
    "lint": TESTS,
    "image.test": TESTS,
    "image.index": PUBLISHING,
    "wheel.test": (*TESTS, "build"),
    "release.notes": ("tasks", "project"),
}


def groups_for(words: list[str]) -> tuple[str, ...]:
    """The dependency groups that a command line's tasks need, without repetition."""
    return tuple(dict.fromkeys(group for word in ["", *words] for group in _needs(word)))


def _needs(word: str) -> tuple[str, ...]:
    return PUBLISHING if word.startswith("release.") else NEEDS.get(word, BASIC)


def requirements(groups: tuple[str, ...], project: Path = ROOT / "pyproject.toml") -> dict[str, list[str]]:
    """The requirements of each group of pyproject.toml; `project` is the package's own dependencies."""
    import tomllib

    try:
        data = tomllib.loads(project.read_text(encoding="utf-8"))
        own = data["build-system"]["requires"] + data["project"]["dependencies"]
        known = {"project": data["project"]["dependencies"], "build": data["dependency-groups"]["build"] + own}
        return {group: known.get(group) or data["dependency-groups"][group] for group in groups}
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise ProjectFileError(
            "the project file cannot be used",
            where=str(project),
            expected=f"groups {', '.join(groups)}",
            got=str(error),
        ) from error


def missing_groups(wanted: dict[str, list[str]]) -> dict[str, str]:
    """The groups (with their digests) that the environment does not have in exactly this form."""
    digests = {name: hashlib.sha256("\n".join(lines).encode()).hexdigest() for name, lines in wanted.items()}
    have = _read_stamp(STAMP)
    return {name: digest for name, digest in digests.items() if have.get(name) != digest}


def _read_stamp(stamp: Path) -> dict[str, str]:
    try:
        noted: dict[str, str] = json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return noted


def install_groups(runner: Runner, groups: tuple[str, ...]) -> None:
    """Install into `.venv` what the groups need and it lacks; nothing is started when it lacks nothing."""
    wanted = requirements(groups)
    lacking = missing_groups(wanted)
    if not lacking:
        return
    need_space(VENV, 1024, "the tools in .venv")
    lines = sorted({line for name in lacking for line in wanted[name]})
    with report.step(f"installing the tools of {', '.join(lacking)} into {VENV.name}"):
        runner.run(
            [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *lines],
            kind="downloads",
            log="setup",
        )
    write_text(STAMP, json.dumps(_read_stamp(STAMP) | lacking, indent=2) + "\n")


def ensure_environment(runner: Runner, may_install: bool) -> None:
    """Make `.venv` unless a working one of the right age is there."""
    if _works(runner):
        return
    shutil.rmtree(VENV, ignore_errors=True)
    _ensure_venv_module(runner, may_install)
    with report.step(f"making {VENV.name} with Python {sys.version.split()[0]}"):
        try:
            runner.run([sys.executable, "-m", "venv", str(VENV)], log="setup")
        except BaseException:
            shutil.rmtree(VENV, ignore_errors=True)
            raise


def _works(runner: Runner) -> bool:
    if not PYTHON.exists():
        return False
    answer = runner.read([str(PYTHON), "-c", "import pip, sys; print(*sys.version_info[:2])"])
    found = re.findall(r"\d+", answer.stdout)
    return answer.code == 0 and tuple(map(int, found)) >= OLDEST


def _ensure_venv_module(runner: Runner, may_install: bool) -> None:
    """Debian ships `venv` without pip in a package of its own."""
    if runner.read([sys.executable, "-c", "import ensurepip, venv"]).code == 0:
        return
    part = system.Part("Python's venv module", False, system.python_packages("venv"))
    if not may_install:
        fix = f"run `python3 tasks.py setup` as root, or install {' '.join(part.packages) or 'it'}"
        raise MissingPartError(f"{part.name} is missing", where=sys.executable, fix=fix)
    system.install(runner, [part])


def inside() -> bool:
    return Path(sys.prefix).resolve() == VENV.resolve()


def enter(words: list[str]) -> None:
    """Return when this process already runs in an environment fit for `words`; otherwise become one that does."""
    if sys.version_info < OLDEST:
        sys.exit(f"Python {'.'.join(map(str, OLDEST))} or later is needed, this is {sys.version.split()[0]}")
    groups = groups_for(words)
    if inside() and not missing_groups(requirements(groups)):
        return
    runner = Runner()
    ensure_environment(runner, may_install="setup" in words)
    install_groups(runner, groups)
    environment = {**os.environ, INHERITED_DOWNLOADS: str(runner.work.downloads)}
    os.chdir(ROOT)
    sys.stdout.flush()
    os.execve(PYTHON, [str(PYTHON), "-m", "ci.program", *words], environment)


def main(words: list[str]) -> None:
    """`enter` for the command line: errors become a message and an exit code."""
    try:
        enter(words)
    except CiError as error:
        report.say(f"error: {error}")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        report.say("interrupted")
        sys.exit(130)


def start(words: list[str]) -> None:
    """The way in for `python3 tasks.py`: enter the environment and run the tasks there; ends the process."""
    main(words)
    from ci import program

    program.main(words)
