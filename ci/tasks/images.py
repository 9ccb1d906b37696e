"""Tasks of the group `image`."""

from __future__ import annotations

import sys
from typing import Any

from ci.cli import JSON, command

ONE_ROW = {"target": "cpu, gpu, ascend", "os": "such as debian12", "arch": "x86_64, aarch64", "stack": "such as cuda13"}


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


@command(system="the packages of the systems (docker/locks/) instead of Python's")
def image_lock(_: Any, system: bool = False) -> None:
    """Resolve the packages of the images anew and write their locks.

    Example: python3 tasks.py image.lock --system
    """
    from ci import image_commands

    image_commands.lock(system)


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
