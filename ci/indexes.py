"""Joins a variant's images, one for each architecture, into one index, and hands that to a registry under the variant's tags."""

from __future__ import annotations

from dataclasses import dataclass

from ci import emulation, oci, report
from ci.errors import UsageError
from ci.images import layout_name
from ci.layout import Layouts
from ci.publish.registry import Registry
from ci.shop import Shop
from release.matrix import index_rows, repository, tags_for
from release.rows import ImageRow, Kind


@dataclass(frozen=True)
class Index:
    """An index of `build/oci`: its name there, its digest, its place in a registry, and its members by platform."""

    name: str
    digest: str
    repository: str
    tags: tuple[str, ...]
    members: dict[str, str]


def join(shop: Shop, row: ImageRow, kind: Kind) -> Index:
    """The index over the images that were built here; UsageError names an architecture without one."""
    rows = index_rows(shop.manifest, row)
    if missing := [other for other in rows if not shop.layouts.has(layout_name(other, kind))]:
        first = missing[0]
        raise UsageError(
            "an index holds the image of every architecture",
            where=f"{row.variant}:{kind}",
            expected=", ".join(other.arch for other in rows),
            got=f"none for {', '.join(other.arch for other in missing)}",
            fix=f"python3 tasks.py build --target {first.hardware} --os {first.os} --arch {first.arch} --kind {kind}",
        )
    name = f"{row.variant}:{kind}"
    made = shop.layouts.put_index(name, [layout_name(other, kind) for other in rows])
    emulation.check_index(shop.layouts, name)
    entries = shop.layouts.manifest(name)["manifests"]
    members = {f"{entry['platform']['os']}/{entry['platform']['architecture']}": entry["digest"] for entry in entries}
    tags = tuple(tag.rsplit(":", 1)[-1] for tag in tags_for(shop.manifest, row, kind))
    return Index(name, made.digest, repository(shop.manifest, row), tags, members)


def push(layouts: Layouts, index: Index, registry: Registry) -> list[str]:
    """Everything below the index first, then its tags; gives the references to pull. What is there already stays."""
    for digest in index.members.values():
        manifest = layouts.read(digest)
        with report.step(f"pushing {digest[:19]}"):
            for blob in map(oci.descriptor, [manifest["config"], *manifest["layers"]]):
                registry.push_blob(index.repository, blob, layouts.path(blob.digest))
            registry.push_manifest(index.repository, digest, layouts.path(digest).read_bytes(), oci.MANIFEST)
    for tag in index.tags:
        registry.push_manifest(index.repository, tag, layouts.path(index.digest).read_bytes(), oci.INDEX)
    return [f"{registry.host}/{index.repository}:{tag}" for tag in index.tags]
