"""What `image.index` does: it needs a registry's client, which the other tasks on images do without."""

from __future__ import annotations

from ci import indexes, outcomes, report
from ci.engine import Runner
from ci.paths import MANIFEST
from ci.publish.settings import registry_of
from ci.shop import Shop
from ci.testing import HostOnly
from release.model import load_manifest


def index(target: str, options: dict[str, str], registry: str, as_json: bool) -> None:
    """Join the images of a row's variant, of one kind or of all; push them where a registry is given."""
    known = load_manifest(MANIFEST)
    shop = Shop(HostOnly(), Runner(), known)  # type: ignore[arg-type]
    row = outcomes.one_row(known, target, options)
    made = [indexes.join(shop, row, kind) for kind in row.kinds]
    client = registry_of(registry, "stage") if registry else None
    pushed = {one.name: indexes.push(shop.layouts, one, client) if client else [] for one in made}
    rows = [(one.name, platform, digest) for one in made for platform, digest in one.members.items()]
    text = report.table(("index", "platform", "digest"), rows)
    lines = [f"{one.name}: {one.digest} {' '.join(pushed[one.name])}".rstrip() for one in made]
    data = [vars(one) | {"pushed": pushed[one.name]} for one in made]
    report.emit(data, as_json, "\n".join([text, *lines]))
