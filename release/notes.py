"""Release notes: fragments, one file for each change, become points of RELEASE.md; and what differs between two versions.

A fragment is `release/fragments/NAME.SECTION.md`: the text of one point. Two changes never edit the same lines.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from release.errors import ReleaseError, unknown

FOLDER = Path("release/fragments")
PAGE = Path("RELEASE.md")
SECTIONS = {
    "framework": "**Framework**",
    "distribution": "**Distribution**",
    "differences": "**Differences from MindSpore 2.10**",
}
NAME = re.compile(r"[a-z0-9][a-z0-9-]*\.([a-z]+)\.md")


@dataclass(frozen=True)
class Fragment:
    """One point of the notes, and the file that it comes from."""

    path: Path
    section: str
    text: str

    @property
    def point(self) -> str:
        """The point as it stands in a list."""
        first, *rest = self.text.splitlines()
        return "\n".join([f"- {first}", *(f"  {line}" if line else "" for line in rest)])


def fragments(root: Path) -> list[Fragment]:
    """The fragments of a checkout, by file name; ReleaseError names one that is misnamed or empty."""
    return [_fragment(path) for path in sorted((root / FOLDER).glob("*")) if path.name != ".gitkeep"]


def _fragment(path: Path) -> Fragment:
    found = NAME.fullmatch(path.name)
    if found is None:
        raise ReleaseError(f"{path}: not a fragment's name\n  expected: such as faster-sums.framework.md")
    if found[1] not in SECTIONS:
        raise unknown(f"section of {path.name}", found[1], list(SECTIONS))
    text = path.read_text(encoding="utf-8").strip()
    if not text or text.startswith(("-", "#")):
        raise ReleaseError(f"{path}: not a point of the notes\n  expected: its text, without a dash or a heading")
    return Fragment(path, found[1], text)


def merged(page: str, version: str, found: Sequence[Fragment]) -> str:
    """RELEASE.md with the fragments as points of `version`, at the ends of their sections; new ones are made as needed."""
    heading = f"## {version}\n"
    if found and heading not in page:
        title, _, rest = page.partition("\n\n")
        page = f"{title}\n\n{heading}\n{rest}"
    start = page.find(heading) + len(heading)
    end = page.find("\n## ", start)
    part, rest = (page[start:], "") if end < 0 else (page[start:end], page[end:])
    for section, name in SECTIONS.items():
        points = [fragment.point for fragment in found if fragment.section == section]
        if points:
            part = _with_points(part, name, points)
    return page[:start] + part + rest if found else page


def _with_points(part: str, name: str, points: Sequence[str]) -> str:
    text = "\n".join(points)
    if name not in part:
        words = part.rstrip()
        return f"{words}\n\n{name}\n\n{text}\n" if words else f"\n{name}\n\n{text}\n"
    before, _, after = part.partition(name)
    following = re.search(r"\n\n\*\*", after)
    own, others = (after, "") if following is None else (after[: following.start()], after[following.start() :])
    return f"{before}{name}{own.rstrip()}\n{text}\n{others[1:]}"


@dataclass(frozen=True)
class Build:
    """What a version's wheel holds: bytes, requirements, and the public names with their signatures."""

    version: str
    size: int
    requires: tuple[str, ...]
    api: Mapping[str, str] = field(default_factory=dict)


def _compared(old: Iterable[str], new: Iterable[str]) -> tuple[list[str], list[str]]:
    """What was added, and what was removed."""
    return sorted(set(new) - set(old)), sorted(set(old) - set(new))


def _changed(old: Build, new: Build) -> list[str]:
    return [name for name in sorted(set(old.api) & set(new.api)) if old.api[name] != new.api[name]]


def differences(old: Build, new: Build) -> dict[str, Any]:
    """What changed between two versions, as plain data."""
    parts = {"requires": _compared(old.requires, new.requires), "api": _compared(old.api, new.api)}
    data: dict[str, Any] = {name: {"added": added, "removed": removed} for name, (added, removed) in parts.items()}
    data["api"]["changed"] = {name: [old.api[name], new.api[name]] for name in _changed(old, new)}
    size = {"old": old.size, "new": new.size, "percent": round(100 * (new.size / old.size - 1), 1)}
    return {"from": old.version, "to": new.version, "size": size, **data}


def differences_text(old: Build, new: Build) -> str:
    """The same in Markdown: what breaks programs first."""
    (names, gone), (required, dropped) = _compared(old.api, new.api), _compared(old.requires, new.requires)
    percent = 100 * (new.size / old.size - 1)
    parts = [f"## From {old.version} to {new.version}\n"]
    parts.append(f"The wheel has {new.size / 1e6:.2f} MB, {percent:+.1f} %.\n")
    lists = {
        "Names that are gone": gone,
        "Names that are called differently": [f"{n}{old.api[n]}` is now `{n}{new.api[n]}" for n in _changed(old, new)],
        "New names": names,
        "Requirements that are new": required,
        "Requirements that are gone": dropped,
    }
    for title, lines in lists.items():
        if lines:
            parts.append(f"**{title}**\n\n" + "\n".join(f"- `{line}`" for line in lines) + "\n")
    return "\n".join(parts)
