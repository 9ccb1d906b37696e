"""Tasks of the groups `wheel` and `image`."""

from __future__ import annotations

import sys
from typing import Any

from ci.cli import JSON, command

ONE_ROW = {"target": "cpu, gpu, ascend", "os": "such as debian12", "arch": "x86_64, aarch64", "stack": "such as cuda13"}


@command(
    python="the wheel's Python (default: the default image row's)",
    arch="x86_64 or aarch64 (default: this machine's)",
    host="build with a Python of this machine",
    json=JSON,
)
def wheel_build(
    _: Any, python: str | None = None, arch: str | None = None, host: bool = False, json: bool = False
) -> None:
    """Build the portable wheel into dist/: inside the devel image of a system with this Python, or on this machine.

    Example: python3 tasks.py wheel.build --python 3.13
    """
    from ci import commands

    commands.wheel(python, arch, host, json)


@command(python="only this Python's (default: those that this machine has)", host="build with these Pythons")
def wheel_test(_: Any, python: str | None = None, host: bool = False) -> None:
    """Build the wheels of this machine, test each in a clean environment of its Python, and note what passed.

    Example: python3 tasks.py wheel.test --python 3.12 --host
    """
    from ci import commands

    sys.exit(commands.test_wheel(python, host))


@command(**ONE_ROW)
def image_test(_: Any, target: str = "cpu", os: str = "", arch: str = "", stack: str = "") -> None:
    """Build a row's images (by default the default row's), test them from inside, and note what passed.

    Example: python3 tasks.py image.test --arch aarch64
    """
    from ci import commands

    sys.exit(commands.test_image(target, {"os": os, "arch": arch, "stack": stack}))


@command(json=JSON)
def image_list(_: Any, json: bool = False) -> None:
    """List the matrix's images: tag, whether this machine has it, size.

    Example: python3 tasks.py image.list --json
    """
    from ci import image_commands

    image_commands.listing(json)


@command(system="the packages of the systems (docker/locks/) instead of Python's", os="those of this system alone")
def image_lock(_: Any, system: bool = False, os: str = "") -> None:
    """Resolve the packages of the images anew and write their locks.

    Example: python3 tasks.py image.lock --os debian13
    """
    from ci import image_commands

    image_commands.lock(system, os)


@command(
    target="cpu, gpu, ascend",
    os="such as debian12",
    stack="such as cuda13",
    kind="devel, runtime or release (default: all three)",
    registry="push to this registry too, such as http://127.0.0.1:5000",
    json=JSON,
)
def image_index(
    _: Any, target: str = "cpu", os: str = "", stack: str = "", kind: str = "", registry: str = "", json: bool = False
) -> None:
    """Join the images of all architectures that were built here into one OCI index.

    Example: python3 tasks.py image.index --kind release --registry http://127.0.0.1:5000
    """
    from ci import index_commands

    index_commands.index(target, {"os": os, "stack": stack, "kind": kind}, registry, json)


@command(json=JSON)
def image_measure(_: Any, json: bool = False) -> None:
    """Accept the sizes of the images built here: builds that outgrow them by over 5 % fail.

    Example: python3 tasks.py image.measure
    """
    from ci import image_commands

    image_commands.measure(json)


@command(old="a tag of the engine, or a name of build/oci", new="the image to compare it with", json=JSON)
def image_diff(_: Any, old: str, new: str, json: bool = False) -> None:
    """Say what differs between two images: size, system packages, Python packages, files.

    Example: python3 tasks.py image.diff mindspore/mindspore-cpu:runtime mindspore-cpu
    """
    from ci import image_commands

    image_commands.diff(old, new, json)


@command(**ONE_ROW, json=JSON)
def image_reproduce(
    _: Any, target: str = "cpu", os: str = "", arch: str = "", stack: str = "", json: bool = False
) -> None:
    """Build a row's wheel and images again from the last commit, without caches and elsewhere; compare the digests.

    Example: python3 tasks.py image.reproduce --target cpu
    """
    from ci import image_commands

    image_commands.twice(target, {"os": os, "arch": arch, "stack": stack}, json)
