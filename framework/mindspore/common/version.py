"""The version: that of the installed package, or in a checkout the one in the release manifest."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path


def _version() -> str:
    manifest = Path(__file__).parents[3] / "release" / "manifest.toml"
    if manifest.is_file():
        found = re.search(r'(?m)^current = "([^"]+)"', manifest.read_text(encoding="utf-8"))
        if found:
            return found[1]
    return metadata.version("mindspore")


__version__ = _version()
