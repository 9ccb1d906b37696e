"""What each task does, once its options are known and the environment is ready."""

from __future__ import annotations

import shlex
import sys

from ci import doctor as machine
from ci import engines, generate, outcomes, quality, report, sanitizers, system, testing
from ci.engine import Runner, RunRequest
from ci.errors import CheckError, UsageError
from ci.paths import MANIFEST
from ci.shop import Shop
from release.days import today
from release.matrix import default_row, local_name
from release.model import Manifest, load_manifest


def manifest() -> Manifest:
    return load_manifest(MANIFEST)


def setup(as_json: bool) -> None:
    """Put in place what building needs; without --json the result goes to stderr, so that a next task owns stdout."""
    runner = Runner()
    found = system.setup(runner)
    if as_json:
        report.emit({**found, "work": runner.work.as_dict()}, True, "")
    else:
        report.say("ready: " + ", ".join(f"{name} {value}" for name, value in found.items()))


def build(target: str, options: dict[str, str | None], as_json: bool) -> None:
    """Build the wheel and the images of the chosen rows; wrong options are refused before anything starts."""
    known = manifest()
    chosen = outcomes.rows(known, target, options)
    outcomes.check_phase(known, today())
    runner = Runner()
    shop = Shop(engines.detect(runner), runner, known)
    made = outcomes.build_rows(shop, chosen)
    work = runner.work.as_dict()
    data = {"rows": [outcome.as_dict() for outcome in made], "work": work}
    report.emit(data, as_json, outcomes.text(made, work))


def wheel(python: str | None, arch: str | None, on_host: bool, as_json: bool) -> None:
    """Build a wheel alone: in a devel image, or on this machine."""
    known = manifest()
    made, work = testing.build_wheel(known, Runner(), python, arch, on_host)
    data = {"path": str(made.path), "sha256": made.sha256, "state": made.state, "work": work}
    report.emit(data, as_json, f"{made.path}  {made.state}")


def drift(check: bool, as_json: bool) -> None:
    """Write the generated files, or with `check` only say which differ and exit 1."""
    known = manifest()
    names = [str(path) for path in (generate.drift(known) if check else generate.write(known))]
    key = "drifted" if check else "written"
    report.emit({key: names}, as_json, "\n".join(f"{key}: {name}" for name in names) or "generated files are current")
    if check and names:
        raise CheckError("generated files differ", got=", ".join(names), fix="run `python3 tasks.py generate`")


def run(command: str, image: str) -> int:
    """Run a command in an image of this machine, on the terminal if there is one."""
    known = manifest()
    chosen = image or local_name(known, default_row(known))
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    found = engines.detect(Runner())
    if found.inspect(chosen) is None:
        fix = "build it with `python3 tasks.py build`, or see `python3 tasks.py image.list`"
        raise UsageError("this machine has no such image", where="--image", got=chosen, fix=fix)
    return found.attach(RunRequest(chosen, shlex.split(command), interactive=terminal))


def doctor(as_json: bool) -> None:
    """Print the machine's state; exit 1 when something needed is missing."""
    checks = machine.examine(Runner())
    report.emit([vars(check) for check in checks], as_json, machine.text(checks))
    missing = [check.name for check in checks if check.state == "missing"]
    if missing:
        raise CheckError(f"missing: {', '.join(missing)}", fix="the last column says how to mend each")


def lint(as_json: bool) -> None:
    findings = quality.lint(Runner())
    text = "\n".join(f"{'ok  ' if found.passed else 'FAIL'} {found.name}\n{found.output}" for found in findings)
    report.emit([vars(found) for found in findings], as_json, text)
    if failed := [found.name for found in findings if not found.passed]:
        raise CheckError(f"failed: {', '.join(failed)}", fix="`ruff check --fix`, `ruff format`, `clang-format -i`")


def sanitize(kind: str) -> int:
    return sanitizers.run_tests(Runner(), kind)


def test(paths: list[str], images: bool) -> int:
    return testing.test(manifest(), Runner(), paths, images)


def test_wheel(python: str | None, on_host: bool) -> int:
    """Build wheels of this machine and test each in a clean environment of its Python."""
    return testing.test_wheels(manifest(), Runner(), python, on_host)


def test_image(target: str, options: dict[str, str]) -> int:
    """Build and test the images of the one row that the options mean."""
    known = manifest()
    return testing.test_row(known, Runner(), outcomes.one_row(known, target, options))
