"""The pages that pip and people read, drawn from the signed index: PEP 503 and 691 with the fields of 658, 700, 714."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import PurePosixPath
from typing import Any

from ci.publish.announcement import Announcement
from release.matrix import MODULE

ROOT_PAGE = "simple/index.html"
PAGE = f"simple/{MODULE}/index.html"
JSON_PAGE = f"simple/{MODULE}/index.v1.json"
META = {"api-version": "1.1"}


def _wheels(known: Announcement) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Version, path and facts of each wheel."""
    for version, release in known.versions.items():
        for path, file in release["files"].items():
            if path.endswith(".whl"):
                metadata = release["files"].get(f"{path}.metadata", {}).get("sha256")
                yield version, path, {**file, "metadata": metadata, "published": release["published"]}


def pages(known: Announcement) -> dict[str, bytes]:
    """Every page by its key. Each is one object, so a reader sees all of a release or nothing."""
    title = f'<!DOCTYPE html>\n<html><head><meta name="pypi:repository-version" content="1.1"><title>{MODULE}</title>'
    links = "\n".join(_link(path, file) for _, path, file in _wheels(known))
    root = f'{title}</head><body>\n<a href="{MODULE}/">{MODULE}</a>\n</body></html>\n'
    page = f"{title}</head><body>\n{links}\n</body></html>\n"
    return {ROOT_PAGE: root.encode(), PAGE: page.encode(), JSON_PAGE: _json(known)}


def _link(path: str, file: Mapping[str, Any]) -> str:
    href = escape(f"../../{path}#sha256={file['sha256']}")
    facts = f'data-requires-python="{escape(file["requires_python"])}"'
    if file["metadata"]:
        facts += f' data-core-metadata="sha256={file["metadata"]}" data-dist-info-metadata="sha256={file["metadata"]}"'
    return f'<a href="{href}" {facts}>{escape(PurePosixPath(path).name)}</a><br>'


def _json(known: Announcement) -> bytes:
    files = [
        {
            "filename": PurePosixPath(path).name,
            "url": f"../../{path}",
            "hashes": {"sha256": file["sha256"]},
            "requires-python": file["requires_python"],
            "size": file["size"],
            "upload-time": file["published"],
            "core-metadata": {"sha256": file["metadata"]} if file["metadata"] else False,
        }
        for _, path, file in _wheels(known)
    ]
    text = {"meta": META, "name": MODULE, "versions": list(known.versions), "files": files}
    return (json.dumps(text, indent=1) + "\n").encode()
