"""Prepares what the tests need (the native module in place, the images) and runs them all in one go."""

from __future__ import annotations

import platform
import sys

from ci import bootstrap, engines, evidence, images, outcomes, pythons, report, wheelhouse, wheels
from ci.engine import Runner
from ci.errors import MissingPartError, UsageError
from ci.paths import BUILD, ROOT
from ci.shop import Shop
from release.days import today
from release.matrix import default_row
from release.model import Manifest
from release.rows import ImageRow, Kind, WheelRow

LARGEST_WORKERS = 8
IMAGE_TESTS = "tests/images"
WHEEL_TESTS = "tests/wheels"
TESTED_WHEELS = "MINDSPORE_TEST_WHEELS"  # the tags of the wheels of dist/ that are tested
TESTED_ROW = "MINDSPORE_TEST_ROW"  # the id of the row whose images are tested
HERE = (platform.machine(), "linux")
IMAGES_ARE_THERE = "MINDSPORE_TEST_IMAGES"  # "1": tests of images may not be skipped


class HostOnly:
    """Stands for the engine where none is used, so that a use by mistake is an error with a name."""

    name = "none"

    def __getattr__(self, name: str) -> object:
        raise MissingPartError(f"building on this machine asked for the container engine ({name})")


def build_wheel(
    known: Manifest, runner: Runner, python: str | None, arch: str | None, on_host: bool
) -> tuple[wheels.Wheel, dict[str, int]]:
    """A wheel, by default the default row's: built by the devel image of a system whose own Python it is for.

    Without such a system, or with `on_host`, a Python of this machine builds it.
    """
    row = default_row(known)
    wanted, machine = python or row.python, arch or platform.machine()
    shop = Shop(HostOnly(), runner, known)  # type: ignore[arg-type]
    target = wheels.wheel_row(shop, wanted, machine)
    builder = None if on_host else images.builder(known, wanted)
    if builder is None:
        made = _wheel_on_host(known, runner, target)
    else:
        shop = Shop(engines.detect(runner), runner, known)
        (devel,), _ = images.build(shop, builder, ["devel"])
        made = wheels.ensure(shop, target, devel.tags[0])
    return made, runner.work.as_dict()


def _wheel_on_host(known: Manifest, runner: Runner, row: WheelRow) -> wheels.Wheel:
    """Built by the Python of this process, or by another of this machine in an environment with the locked tools."""
    if row.platform.arch != platform.machine():
        fix = "leave --host out"
        raise UsageError(f"this machine builds wheels for {platform.machine()}", got=row.platform.arch, fix=fix)
    if row.python == pythons.THIS:
        bootstrap.install_groups(runner, ("build",))
        maker = sys.executable
    else:
        lock = wheelhouse.Lock(row.python, row.platform.arch, "devel")
        maker = str(pythons.environment(runner, lock, BUILD / "tools" / row.tag))
    shop = Shop(HostOnly(), runner, known, python=maker)  # type: ignore[arg-type]
    return wheels.ensure(shop, row, None)


def prepare(known: Manifest, runner: Runner, with_images: bool) -> None:
    """The native module next to the sources, made from the wheel for this Python; and the images, where wanted."""
    row = default_row(known)
    fits = row.python == pythons.THIS and row.arch == platform.machine()
    wheel = None
    if with_images:
        outcomes.check_phase(known, today())
        shop = Shop(engines.detect(runner), runner, known)
        _, wheel = images.build(shop, row, row.kinds)
    if wheel is None or not fits:
        shop = Shop(HostOnly(), runner, known)  # type: ignore[arg-type]
        wheel = _wheel_on_host(known, runner, wheels.wheel_row(shop, pythons.THIS, platform.machine()))
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


def test_wheels(known: Manifest, runner: Runner, python: str | None, on_host: bool) -> int:
    """Build this machine's wheels, of one Python or of all that it has, and test each in an environment of that Python."""
    shop = Shop(HostOnly(), runner, known)  # type: ignore[arg-type]
    every = [row.python for row in known.wheel_rows() if (row.platform.arch, row.platform.system) == HERE]
    wanted = [python] if python else [version for version in every if pythons.find(runner, version)]
    rows = [wheels.wheel_row(shop, version, platform.machine()) for version in wanted]
    for row in rows:
        build_wheel(known, runner, row.python, None, on_host)
    tags = " ".join(row.tag for row in rows)
    code = runner.show([sys.executable, "-m", "pytest", WHEEL_TESTS], cwd=ROOT, env={TESTED_WHEELS: tags})
    if code == 0:
        for row in rows:
            (written,) = evidence.note_wheel(shop, row, [WHEEL_TESTS])
            report.say(f"    noted in {evidence.NOTED}: {written.stem}")
    return code


def note(known: Manifest, row: ImageRow) -> None:
    """Write down that a row's images, and the wheel inside them, passed their tests."""
    shop = Shop(HostOnly(), Runner(), known)  # type: ignore[arg-type]
    written = evidence.note_images(shop, row, row.kinds, [IMAGE_TESTS])
    written += evidence.note_wheel(shop, wheels.row_of_image(shop, row), [IMAGE_TESTS])
    report.say(f"    noted in {evidence.NOTED}: {', '.join(path.stem for path in written)}")
