"""The branches' status as people and programs read it: terminal table, Markdown, JSON."""

import io
import json
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from release.branches import Phase, Policy, Transition
from release.days import today
from release.lifecycle import BranchStatus, status
from release.model import Manifest, load_manifest
from release.planning import Event
from release.wording import BRANCH_HEADERS, END_OF_LIFE, MEANINGS, POLICY_HEADERS, Language

WIDTH = 130  # columns: the widest row fits, so that nothing wraps


def branch_status(as_of: date | None = None, as_json: bool = False, manifest: Manifest | None = None) -> str:
    """Every branch's status on `as_of` (default: today) as a table or as JSON.

    `manifest` defaults to the repository's own; ManifestError if that is broken.
    """
    manifest, as_of = manifest or load_manifest(), as_of or today()
    return json_text(document(manifest, as_of)) if as_json else text_table(status(manifest, as_of))


def label(state: BranchStatus) -> str:
    """The current status in words; an overdue branch shows its last confirmed phase and since when it is overdue."""
    name = END_OF_LIFE if state.phase == Phase.EOL else str(state.phase)
    return f"{name} (overdue since {state.overdue_since})" if state.overdue_since else name


def cells(state: BranchStatus) -> tuple[str, ...]:
    """A row of the branch table: branch, status, initial release, next phase, EOL date; empty where unknown."""
    coming = f"{state.next_phase} {state.next_date} estimated" if state.next_phase else ""
    estimate = f"{state.eol_estimated} estimated" if state.eol_estimated else ""
    return state.name, label(state), _day(state.released) or "", coming, _day(state.eol) or estimate


def text_table(states: Iterable[BranchStatus]) -> str:
    """The branch table for a terminal, without colours."""
    return _text(BRANCH_HEADERS["en"], map(cells, states))


def _text(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    table = Table(*header, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    console = Console(file=io.StringIO(), width=WIDTH, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()).strip("\n") + "\n"


def plan_table(events: Iterable[Event]) -> str:
    """The coming events for a terminal."""
    return _text(("Day", "What", "Change"), ((str(event.day), event.subject, event.text) for event in events))


def plan_document(events: Iterable[Event], as_of: date) -> dict[str, Any]:
    """The coming events as plain data."""
    found = [
        {"date": str(event.day), "subject": event.subject, "what": event.what, "certainty": event.certainty}
        for event in events
    ]
    return {"schema": 1, "as_of": str(as_of), "events": found}


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; line ends and bars inside cells do not break it."""
    cells_ = ([" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows)
    lines = [header, ["---"] * len(header), *cells_]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def branch_table(states: Iterable[BranchStatus], language: Language = "en") -> str:
    """The branch table in Markdown."""
    return markdown(BRANCH_HEADERS[language], map(cells, states))


def policy_table(policy: Policy, language: Language = "en") -> str:
    """What each phase means and how long it lasts, in Markdown."""
    rows = [(_phase(phase), _months(policy, phase), meaning) for phase, meaning in MEANINGS[language].items()]
    return markdown(POLICY_HEADERS[language], rows)


def document(manifest: Manifest, as_of: date) -> dict[str, Any]:
    """The status as plain data. Dates are ISO strings or null; `transitions` serve readers on another date."""
    return {
        "schema": 1,
        "as_of": as_of.isoformat(),
        "project_branch": manifest.project.branch,
        "policy_months": {phase: list(span) for phase, span in manifest.policy.months.items()},
        "branches": [_branch(manifest, state) for state in status(manifest, as_of)],
    }


def json_text(data: Any) -> str:
    """`data` as the JSON text that is printed and committed."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _branch(manifest: Manifest, state: BranchStatus) -> dict[str, Any]:
    return {
        "name": state.name,
        "phase": state.phase,
        "label": label(state),
        "since": _day(state.since),
        "released": _day(state.released),
        "next_phase": state.next_phase,
        "next_date": _day(state.next_date),
        "eol": _day(state.eol),
        "eol_estimated": _day(state.eol_estimated),
        "overdue_since": _day(state.overdue_since),
        "transitions": [_transition(step) for step in manifest.by_name(state.name).transitions],
    }


def _transition(step: Transition) -> dict[str, str | None]:
    return {"to": step.to, "actual": _day(step.actual), "estimated": _day(step.estimated)}


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _phase(phase: Phase) -> str:
    return f"{END_OF_LIFE} (EOL)" if phase == Phase.EOL else str(phase)


def _months(policy: Policy, phase: Phase) -> str:
    if phase not in policy.months:
        return "N/A"
    low, high = policy.months[phase]
    return f"{high} months" if low == high else f"{low} - {high} months"
