"""Prepares what the tests need (the native module in place, the images) and runs them all in one go."""

from __future__ import annotations

import platform
import sys

from ci import bootstrap, engines, evidence, images, outcomes, report, wheels
from ci.engine import Runner
from ci.errors import MissingPartError, UsageError
from ci.paths import ROOT
from ci.shop import Shop
from release.days import today
from release.fields import python_tag
from release.matrix import default_row
from release.model import Manifest
from release.rows import ImageRow, Kind

THIS_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
LARGEST_WORKERS = 8
IMAGE_TESTS = "tests/images"
TESTED_ROW = "MINDSPORE_TEST_ROW"  # the id of the row whose images are tested
IMAGES_ARE_THERE = "MINDSPORE_TEST_IMAGES"  # "1": tests of images may not be skipped


class HostOnly:
    """Stands for the engine where none is used, so that a use by mistake is an error with a name."""

    name = "none"

    def __getattr__(self, name: str) -> object:
        raise MissingPartError(f"building on this machine asked for the container engine ({name})")


def build_wheel(
    known: Manifest, runner: Runner, python: str | None, on_host: bool
) -> tuple[wheels.Wheel, dict[str, int]]:
    """The wheel for `python` (default: the default row's): in that row's devel image if it fits, else on this machine."""
    row = default_row(known)
    wanted = python or row.python
    if on_host or wanted != row.python:
        made = _wheel_on_host(known, runner, wanted)
    else:
        shop = Shop(engines.detect(runner), runner, known)
        made = build_default(shop, row)
    return made, runner.work.as_dict()


def build_default(shop: Shop, row: ImageRow) -> wheels.Wheel:
    """The default row's wheel, built inside its devel image."""
    (devel,), _ = images.build(shop, row, ["devel"])
    return wheels.ensure(shop, wheels.row_of_image(shop, row), devel.tags[0])


def _wheel_on_host(known: Manifest, runner: Runner, python: str) -> wheels.Wheel:
    if python != THIS_PYTHON:
        raise MissingPartError(
            f"a wheel for Python {python} is built by that Python",
            got=f"{sys.executable}, {python_tag(THIS_PYTHON)}",
            fix=f"make .venv with Python {python}, or leave --python out",
        )
    bootstrap.install_groups(runner, ("build",))
    shop = Shop(HostOnly(), runner, known)  # type: ignore[arg-type]
    return wheels.ensure(shop, wheels.wheel_row(shop, python, platform.machine()), None)


def prepare(known: Manifest, runner: Runner, with_images: bool) -> None:
    """The native module next to the sources, made from the wheel for this Python; and the images, where wanted."""
    row = default_row(known)
    fits = row.python == THIS_PYTHON and row.arch == platform.machine()
    wheel = None
    if with_images:
        outcomes.check_phase(known, today())
        shop = Shop(engines.detect(runner), runner, known)
        _, wheel = images.build(shop, row, row.kinds)
    if wheel is None or not fits:
        wheel = _wheel_on_host(known, runner, THIS_PYTHON)
    changed = wheels.install_in_place(ROOT, wheel.path)
    report.say(f"    native module in place ({len(changed)} files new)")


def pytest_command(paths: list[str], with_images: bool) -> list[str]:
    """pytest over everything: in parallel, without the tests that need an engine when there is none."""
    marker = [] if with_images else ["-m", "not engine"]
    return [sys.executable, "-m", "pytest", "-n", "auto", f"--maxprocesses={LARGEST_WORKERS}", *marker, *paths]


def test(known: Manifest, runner: Runner, paths: list[str], with_images: bool) -> int:
    """Prepare, then run pytest once: its summary is the last thing printed; give its exit code."""
    if absent := [path for path in paths if not (ROOT / path.split("::")[0]).exists()]:
        raise UsageError("no such tests", where="--path", got=", ".join(absent), fix="name a file or folder of tests/")
    prepare(known, runner, with_images)
    code = runner.show(pytest_command(paths, with_images), cwd=ROOT, env={IMAGES_ARE_THERE: str(int(with_images))})
    if code == 0 and with_images and IMAGE_TESTS in (paths or [IMAGE_TESTS]):
        note(known, default_row(known))
    return code


def test_row(known: Manifest, runner: Runner, row: ImageRow) -> int:
    """Build a row's images, test them from inside, and write down what passed; of a foreign row no devel image is needed."""
    outcomes.check_phase(known, today())
    kinds: list[Kind] = ["runtime", "release"] if images.is_foreign(row) else list(row.kinds)
    images.build(Shop(engines.detect(runner), runner, known), row, kinds)
    environment = {IMAGES_ARE_THERE: "1", TESTED_ROW: row.id}
    code = runner.show([sys.executable, "-m", "pytest", IMAGE_TESTS], cwd=ROOT, env=environment)
    if code == 0:
        note(known, row.model_copy(update={"kinds": tuple(kinds)}))
    return code


def note(known: Manifest, row: ImageRow) -> None:
    """Write down that a row's images, and the wheel inside them, passed their tests."""
    shop = Shop(HostOnly(), Runner(), known)  # type: ignore[arg-type]
    written = evidence.note_images(shop, row, row.kinds, [IMAGE_TESTS])
    written += evidence.note_wheel(shop, wheels.row_of_image(shop, row), [IMAGE_TESTS])
    report.say(f"    noted in {evidence.NOTED}: {', '.join(path.stem for path in written)}")
