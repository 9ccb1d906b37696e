"""Moves a branch to its next phase by editing the manifest's text; everything that is not concerned stays as written."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from difflib import unified_diff
from pathlib import Path

from release.branches import FINAL, NEXT, Branch, Phase
from release.days import today
from release.errors import ReleaseError, UsageError, unknown
from release.fields import Location
from release.lifecycle import add_months, check
from release.model import Manifest, parse_manifest
from release.toml_lines import Edit, Places, Span, apply


@dataclass(frozen=True)
class Advance:
    """What happened: `branch` entered `to` (default: its next phase) on the day `on`.

    `following` is the estimate for the phase after that (default: the policy's latest day). `reason` accepts what breaks
    the policy, as an exception.
    """

    branch: str
    on: date
    to: Phase | None = None
    following: date | None = None
    reason: str | None = None


def advanced(text: str, step: Advance, path: Path, now: date | None = None) -> str:
    """The manifest's text after `step`.

    ReleaseError if the policy forbids it and no reason is given, or the day is still to come (`now` is UTC's by default);
    ManifestError for a step that breaks the order of phases or dates, at its line.
    """
    now = now or today()
    if step.on > now:
        raise UsageError(f"{step.branch} cannot have moved on {step.on}\n  expected: a day up to today, {now}")
    before = parse_manifest(text, path)
    moved = _with_day(_moved(text, before, step), step.on)
    after = parse_manifest(moved, path)
    known = set(check(before, now))
    broken = [problem for problem in check(after, now) if problem.rule in ("duration", "order")]
    broken = [problem for problem in broken if problem.subject == step.branch and problem not in known]
    if not broken:
        return moved
    if step.reason is None:
        raise ReleaseError("\n".join([*map(str, broken), "  to do: correct the day, or give a --reason"]))
    rules = sorted({str(problem.rule) for problem in broken})
    excused = _with_day(_excused(moved, after, step, rules, now), now)
    parse_manifest(excused, path)
    return excused


def difference(before: str, after: str, name: str) -> str:
    """The change as a unified diff."""
    return "".join(unified_diff(before.splitlines(True), after.splitlines(True), f"a/{name}", f"b/{name}"))


def _moved(text: str, manifest: Manifest, step: Advance) -> str:
    places = Places(text)
    names = [branch.name for branch in manifest.branch]
    if step.branch not in names:
        if step.to in (Phase.PLANNING, Phase.DEVELOPMENT):
            return apply(text, [_new_branch(places, manifest, step, len(names) - 1)])
        raise unknown("branch", step.branch, names, "a new branch begins with --to Planning or --to Development")
    index = names.index(step.branch)
    return apply(text, _edits(places, ("branch", index), manifest.branch[index], manifest, step))


def _edits(places: Places, at: Location, branch: Branch, manifest: Manifest, step: Advance) -> Iterator[Edit]:
    done = sum(1 for known in branch.transitions if known.actual)
    planned = [known.to for known in branch.transitions[done:]]
    to = step.to or _usual(branch, planned)
    array, last = (*at, "transitions"), len(branch.transitions) - 1
    end = places.values[(*array, last)].end
    following = f", {_estimate(manifest, to, step)}" if to not in FINAL else ""
    if to in planned:
        now = done + planned.index(to)
        yield Edit(Span(places.values[(*array, done)].start, places.values[(*array, now)].start), "")
        confirmed = places.pairs[(*array, now, "to")].end
        yield Edit(Span(confirmed, confirmed), f", actual = {step.on}")
        if now == last:
            yield Edit(Span(end, end), following)
        elif step.following:
            yield Edit(places.values[(*array, now + 1, "estimated")], str(step.following))
    else:
        start = places.values[(*array, done - 1)].end if done else places.values[(*array, 0)].start
        comma = ", " if done else ""
        yield Edit(Span(start, end), f'{comma}{{ to = "{to}", actual = {step.on} }}{following}')
    if branch.overdue_ack:
        pair = places.pairs[(*at, "overdue_ack")]
        yield Edit(Span(pair.start, places.line_end(pair.end) + 1), "")


def _usual(branch: Branch, planned: list[Phase]) -> Phase:
    """The planned next phase, else the one that the graph names first."""
    if planned:
        return planned[0]
    following = NEXT[branch.transitions[-1].to]
    if not following:
        raise UsageError(f"{branch.name} is in {branch.transitions[-1].to}, which is final")
    return following[0]


def _estimate(manifest: Manifest, to: Phase, step: Advance) -> str:
    day = step.following or add_months(step.on, manifest.policy.months[to][1])
    return f'{{ to = "{NEXT[to][0]}", estimated = {day} }}'


def _new_branch(places: Places, manifest: Manifest, step: Advance, last: int) -> Edit:
    assert step.to is not None
    transitions = f'{{ to = "{step.to}", actual = {step.on} }}, {_estimate(manifest, step.to, step)}'
    end = places.line_end(places.tables[("branch", last)].end - 1)
    return Edit(Span(end, end), f'\n\n[[branch]]\nname = "{step.branch}"\ntransitions = [{transitions}]')


def _with_day(text: str, day: date) -> str:
    """`text` with `docs_as_of` moved forward to `day`, so that tables show what happened."""
    place = Places(text).values[("project", "docs_as_of")]
    if date.fromisoformat(text[place.start : place.end]) >= day:
        return text
    return apply(text, [Edit(place, str(day))])


def _excused(text: str, manifest: Manifest, step: Advance, rules: list[str], granted: date) -> str:
    places = Places(text)
    names = [branch.name for branch in manifest.branch]
    at: Location = ("branch", names.index(step.branch))
    reason = json.dumps(step.reason, ensure_ascii=False)
    new = ", ".join(f'{{ rule = "{rule}", granted = {granted}, reason = {reason} }}' for rule in rules)
    count = places.length((*at, "exceptions"))
    if count:
        end = places.values[(*at, "exceptions", count - 1)].end
        return apply(text, [Edit(Span(end, end), f", {new}")])
    end = places.line_end(places.pairs[(*at, "transitions")].end)
    return apply(text, [Edit(Span(end, end), f"\nexceptions = [{new}]")])
