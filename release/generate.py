"""The committed files that follow from the manifest, and whether they still do."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from release import support, tables
from release.branches import Branch
from release.errors import unknown
from release.evidence import Evidence, read
from release.feeds import calendar, endoflife
from release.lifecycle import newest_first, status
from release.model import Manifest
from release.planning import plan
from release.timeline import timeline
from release.wording import LANGUAGES, Language

ROOT = Path(__file__).resolve().parent.parent
EVIDENCE = Path("release/evidence")
MARK = "generated from release/manifest.toml; do not edit"
SCHEMA, LIFECYCLE, ENDOFLIFE, BRANCHES, TIMELINE, CALENDAR, MATRIX = (
    Path("release/manifest.schema.json"),
    Path("release/lifecycle.json"),
    Path("release/endoflife.json"),
    Path("docs/branches.md"),
    Path("docs/branches.svg"),
    Path("docs/branches.ics"),
    Path("docs/matrix.md"),
)
PAGES: dict[Path, Language] = {Path("README.md"): "en", Path("README.zh.md"): "zh"}
BLOCK = re.compile(r"(<!-- table: (\w+); generated, do not edit -->\n).*?(<!-- end of table -->)", re.DOTALL)

MATRIX_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "What is built",
        "states": "A row is *rendered* when its recipe exists, *built* when an artefact of the current version was made, and *built and "
        "run* when tests passed on the artefact with the digest shown.",
        "images": "Images",
        "wheels": "Wheels",
        "excluded": "What is left out, and why",
        "cells": "The cells of the tables that the project set out from",
    },
    "zh": {
        "title": "构建矩阵",
        "states": "*仅生成*：构建文件已存在；*已构建*：当前版本的产物已生成；*已构建并运行*：测试在所示摘要的产物上通过。",
        "images": "镜像",
        "wheels": "安装包",
        "excluded": "不包含的组合及原因",
        "cells": "原始表格的单元格",
    },
}
TITLES: dict[Language, tuple[str, str]] = {"en": ("Branches", "As of"), "zh": ("分支", "截至")}


def outputs(manifest: Manifest, root: Path = ROOT) -> dict[Path, str]:
    """Each generated file's text, by its path from the root. Depends on the manifest and the evidence, never on the clock.

    Pages with marked tables are read from `root`, and their other text is kept.
    """
    day = manifest.project.docs_as_of
    files = {
        SCHEMA: schema_text(),
        LIFECYCLE: lifecycle_text(manifest),
        ENDOFLIFE: tables.json_text(endoflife(manifest, day)),
        BRANCHES: branches_text(manifest),
        TIMELINE: f"<!-- {MARK} -->\n{timeline(manifest, day)}",
        CALENDAR: calendar(plan(manifest, day), day),
        MATRIX: matrix_text(manifest, read(root / EVIDENCE)),
    }
    pages = {path: root / path for path in PAGES if (root / path).is_file()}
    return files | {
        path: filled(place.read_text(encoding="utf-8"), manifest, PAGES[path]) for path, place in pages.items()
    }


def filled(page: str, manifest: Manifest, language: Language) -> str:
    """A page with its marked tables made anew; ReleaseError for a mark that names no table."""
    states = status(manifest, manifest.project.docs_as_of)
    known = {
        "branches": tables.branch_table(states, language),
        "policy": tables.policy_table(manifest.policy, language),
        "hardware": support.hardware_table(manifest, language),
    }

    def table(found: re.Match[str]) -> str:
        if found[2] not in known:
            raise unknown("table", found[2], list(known))
        return f"{found[1]}\n{known[found[2]]}\n{found[3]}"

    return BLOCK.sub(table, page)


def matrix_text(manifest: Manifest, evidence: Sequence[Evidence]) -> str:
    """docs/matrix.md: every row with its state, what is left out, and the source's cells."""
    parts = [f"<!-- {MARK} -->\n"]
    for language in LANGUAGES:
        words = MATRIX_WORDS[language]
        parts += [
            f"{'#' * (1 if language == 'en' else 2)} {words['title']}\n",
            f"{words['states']}\n",
            f"### {words['images']}\n",
            support.image_table(manifest, evidence, language),
            f"### {words['wheels']}\n",
            support.wheel_table(manifest, evidence, language),
            f"### {words['excluded']}\n",
            support.excluded_table(manifest, language),
            f"### {words['cells']}\n",
            support.cell_table(manifest, evidence, language),
        ]
    return "\n".join(parts)


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
