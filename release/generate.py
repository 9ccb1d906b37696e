"""The committed files that follow from the manifest, and whether they still do."""

import json
from collections.abc import Mapping
from pathlib import Path

from release import tables
from release.branches import Branch
from release.feeds import calendar, endoflife
from release.lifecycle import newest_first, status
from release.model import Manifest
from release.planning import plan
from release.timeline import timeline
from release.wording import LANGUAGES, Language

ROOT = Path(__file__).resolve().parent.parent
MARK = "generated from release/manifest.toml; do not edit"
SCHEMA, LIFECYCLE, ENDOFLIFE, BRANCHES, TIMELINE, CALENDAR = (
    Path("release/manifest.schema.json"),
    Path("release/lifecycle.json"),
    Path("release/endoflife.json"),
    Path("docs/branches.md"),
    Path("docs/branches.svg"),
    Path("docs/branches.ics"),
)

TITLES: dict[Language, tuple[str, str]] = {"en": ("Branches", "As of"), "zh": ("分支", "截至")}


def outputs(manifest: Manifest) -> dict[Path, str]:
    """Each generated file's text, by its path from the root. Depends on the manifest, never on the clock."""
    day = manifest.project.docs_as_of
    return {
        SCHEMA: schema_text(),
        LIFECYCLE: lifecycle_text(manifest),
        ENDOFLIFE: tables.json_text(endoflife(manifest, day)),
        BRANCHES: branches_text(manifest),
        TIMELINE: f"<!-- {MARK} -->\n{timeline(manifest, day)}",
        CALENDAR: calendar(plan(manifest, day), day),
    }


def schema_text() -> str:
    """The manifest's JSON schema, for editors and other readers."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "generated from release/model.py; do not edit",
    }
    return json.dumps(schema | Manifest.model_json_schema(by_alias=True), indent=2, sort_keys=True) + "\n"


def lifecycle_text(manifest: Manifest) -> str:
    """The lifecycle JSON as of `docs_as_of`."""
    return tables.json_text({"generated": MARK} | tables.document(manifest, manifest.project.docs_as_of))


def branches_text(manifest: Manifest) -> str:
    """docs/branches.md: phases, branches, the coming year, and exceptions."""
    states = status(manifest, manifest.project.docs_as_of)
    parts = [f"<!-- {MARK} -->\n"]
    for language in LANGUAGES:
        title, as_of = TITLES[language]
        parts += [
            f"{'#' * (1 if language == 'en' else 2)} {title}\n",
            tables.policy_table(manifest.policy, language),
            f"{as_of} {manifest.project.docs_as_of}:\n",
            tables.branch_table(states, language),
        ]
        if language == "en":
            parts += ["## The coming year\n", f"![Timeline of the branches]({TIMELINE.name})\n", coming_table(manifest)]
            parts += ["## Where history departs from the policy\n", exceptions_table(manifest)]
    return "\n".join(parts)


def coming_table(manifest: Manifest) -> str:
    """What changes in the year after `docs_as_of`, in Markdown."""
    events = plan(manifest, manifest.project.docs_as_of)
    rows = [(str(event.day), event.subject, event.text) for event in events]
    return tables.markdown(("Day", "What", "Change"), rows)


def exceptions_table(manifest: Manifest) -> str:
    """Accepted departures from the policy, and acknowledged silences, in Markdown."""
    rows = [row for branch in newest_first(manifest) for row in _exceptions(branch)]
    return tables.markdown(("Branch", "Rule", "Accepted", "Reason"), rows)


def _exceptions(branch: Branch) -> list[tuple[str, str, str, str]]:
    rows = [(branch.name, str(item.rule), f"on {item.granted}", item.reason) for item in branch.exceptions]
    if branch.overdue_ack:
        rows.append((branch.name, "overdue", f"until {branch.overdue_ack.until}", branch.overdue_ack.reason))
    return rows


def drift(files: Mapping[Path, str], root: Path = ROOT) -> list[Path]:
    """The files under `root` that are missing or differ from `files`."""
    return [path for path, text in files.items() if _read(root / path) != text]


def write(files: Mapping[Path, str], root: Path = ROOT) -> list[Path]:
    """Bring `root` up to date with `files`; returns what changed."""
    changed = drift(files, root)
    for path in changed:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(files[path], encoding="utf-8", newline="\n")
    return changed


def _read(path: Path) -> str | None:
    return path.read_bytes().decode("utf-8", "replace") if path.is_file() else None
