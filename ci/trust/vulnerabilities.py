"""Asks a feed in OSV's form about the packages of a bill. No feed within reach means "not checked", never "passed"."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import httpx

from ci.errors import ProjectFileError

FEED = "https://api.osv.dev"
BATCH = 500
State = Literal["passed", "failed", "not checked"]


@dataclass(frozen=True)
class Allowed:
    """A vulnerability that somebody looked at and lives with, until a day."""

    id: str
    until: date
    reason: str


@dataclass(frozen=True)
class Finding:
    package: str
    id: str
    allowed: str = ""


@dataclass(frozen=True)
class Verdict:
    """What the gate says. `reason` tells why nothing was checked."""

    state: State
    findings: tuple[Finding, ...] = ()
    reason: str = ""


def load_allowed(path: Path) -> list[Allowed]:
    """The dated list of exceptions; ProjectFileError for an entry without a day or a reason."""
    if not path.exists():
        return []
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("allow", [])
        found = [Allowed(str(item["id"]), item["until"], str(item["reason"])) for item in entries]
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        expected = '[[allow]] with id = "...", until = 2027-01-31, reason = "..."'
        raise ProjectFileError(
            "the list of allowed vulnerabilities cannot be used", where=str(path), expected=expected, got=str(error)
        ) from None
    for item in found:
        if not isinstance(item.until, date) or not item.reason.strip():
            expected = "a TOML date and a reason"
            raise ProjectFileError("an exception without end", where=f"{path}: {item.id}", expected=expected)
    return found


def check(
    packages: Sequence[str], allowed: Iterable[Allowed], today: date, feed: str = FEED, timeout: float = 20.0
) -> Verdict:
    """Ask the feed about each package URL; what is known and not allowed today fails."""
    excused = {item.id: item for item in allowed if item.until >= today}
    findings = []
    try:
        with httpx.Client(base_url=feed, timeout=timeout) as client:
            for start in range(0, len(packages), BATCH):
                findings += _ask(client, packages[start : start + BATCH])
    except (httpx.HTTPError, ValueError, KeyError) as error:
        return Verdict("not checked", reason=f"{feed}: {type(error).__name__}: {error}")
    judged = tuple(
        Finding(found.package, found.id, excused[found.id].reason if found.id in excused else "") for found in findings
    )
    return Verdict("failed" if any(not found.allowed for found in judged) else "passed", judged)


def _ask(client: httpx.Client, packages: Sequence[str]) -> list[Finding]:
    """What is known about the packages; where the feed has more to say about one it gives a token for the next page."""
    found: list[Finding] = []
    queries: list[dict[str, Any]] = [{"package": {"purl": purl}} for purl in packages]
    while queries:
        answer = client.post("/v1/querybatch", json={"queries": queries})
        answer.raise_for_status()
        results = answer.json()["results"]
        if len(results) != len(queries):
            raise ValueError(f"{len(queries)} packages asked for, {len(results)} answers")
        pairs = list(zip(queries, results, strict=True))
        for query, result in pairs:
            found += [Finding(query["package"]["purl"], str(item["id"])) for item in result.get("vulns") or ()]
        more = [(query, result.get("next_page_token")) for query, result in pairs]
        queries = [query | {"page_token": token} for query, token in more if token]
    return found
