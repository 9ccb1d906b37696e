"""Release notes from fragments, and the differences between two wheels: size, requirements, public names."""

from __future__ import annotations

import json
import sys
import zipfile
from email.parser import BytesHeaderParser
from pathlib import Path
from tempfile import TemporaryDirectory

from ci import report
from ci.engine import Runner
from ci.errors import CommandError, UsageError
from ci.files import write_text
from ci.paths import MANIFEST, ROOT
from release import notes
from release.model import load_manifest
from release.notes import Build

MODULES = ("mindspore", "mindspore.nn", "mindspore.ops", "mindspore.common.initializer")
# Runs in a process of its own, with the wheel's content first on the path: prints each public name's signature.
PROBE = """
import importlib, inspect, json, re, sys

def signature(value):
    try:
        return re.sub(" at 0x[0-9a-f]+", "", str(inspect.signature(value)))
    except (TypeError, ValueError):
        return ""

found = {}
for module in sys.argv[1:]:
    members = importlib.import_module(module)
    for name in members.__all__:
        value = getattr(members, name)
        found[f"{module}.{name}"] = signature(value) if callable(value) else ""
        if inspect.isclass(value):
            for part, method in inspect.getmembers(value, inspect.isroutine):
                if not part.startswith("_"):
                    found[f"{module}.{name}.{part}"] = signature(method)
print(json.dumps(found))
"""


def build(runner: Runner, wheel: Path) -> Build:
    """What a wheel holds; its names are asked of this Python, which must be the wheel's."""
    try:
        with zipfile.ZipFile(wheel) as archive, TemporaryDirectory(prefix="wheel-") as folder:
            name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
            metadata = BytesHeaderParser().parsebytes(archive.read(name))
            archive.extractall(folder)
            command = [sys.executable, "-c", PROBE, *MODULES]
            done = runner.read(command, env={"PYTHONPATH": folder, "PYTHONSAFEPATH": "1"}, cwd=Path(folder))
    except (OSError, zipfile.BadZipFile, StopIteration) as error:
        raise UsageError("not a wheel", where=str(wheel), got=str(error) or "no METADATA") from None
    if done.code:
        raise CommandError(["python", "-c", "import mindspore"], done.code, done.stderr, str(wheel))
    requires = tuple(str(line) for line in metadata.get_all("Requires-Dist", []))
    return Build(str(metadata["Version"]), wheel.stat().st_size, requires, json.loads(done.stdout))


def show_differences(old: Path, new: Path, as_json: bool) -> None:
    """Print what changed between two wheels."""
    runner = Runner()
    builds = build(runner, old), build(runner, new)
    report.emit(notes.differences(*builds), as_json, notes.differences_text(*builds))


def merge(confirm: bool, as_json: bool, root: Path = ROOT) -> None:
    """Show the fragments as the current version's notes; with `confirm` write RELEASE.md and remove them."""
    found = notes.fragments(root)
    version = load_manifest(MANIFEST).current.text
    page = (root / notes.PAGE).read_text(encoding="utf-8")
    points = {str(one.path.relative_to(root)): {"section": one.section, "text": one.text} for one in found}
    text = "\n".join(f"{one.section}: {one.text}" for one in found) or "there are no fragments"
    report.emit({"version": version, "fragments": points}, as_json, text)
    if not confirm:
        report.say("nothing is written yet: add --confirm")
        return
    write_text(root / notes.PAGE, notes.merged(page, version, found))
    for one in found:
        one.path.unlink()
    report.say(f"{len(found)} points are in {notes.PAGE} under {version}")


def answer(old: str | None, new: str | None, confirm: bool, as_json: bool) -> None:
    """What `release.notes` does: compare two wheels, or put the fragments together."""
    if bool(old) != bool(new):
        raise UsageError("one wheel alone cannot be compared", fix="give --old and --new")
    if old and new:
        show_differences(Path(old), Path(new), as_json)
    else:
        merge(confirm, as_json)
