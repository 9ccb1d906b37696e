"""What the branch tasks do: status, check and guards, the coming year, and moving a branch on."""

from __future__ import annotations

from ci import generate, hooks, report
from ci.errors import CheckError, UsageError
from ci.files import write_text
from ci.paths import MANIFEST, ROOT
from release import generate as release_generate
from release.advance import Advance, advanced, difference
from release.branches import Phase
from release.days import parse_day, today
from release.errors import unknown
from release.feeds import calendar
from release.guards import Verdict, may_merge, may_tag_version
from release.lifecycle import check, guard_day, status_of
from release.model import load_manifest, parse_manifest
from release.planning import plan
from release.tables import branch_status, json_text, plan_document, plan_table
from release.timeline import timeline

FORMS = ("table", "json", "ical", "svg")


def status(as_of: str | None, as_json: bool) -> None:
    """Print every branch's phase and dates."""
    print(branch_status(parse_day(as_of), as_json, load_manifest(MANIFEST)), end="")


def guard(branch: str | None, change: bool, tag: str | None, as_of: str | None, as_json: bool) -> None:
    """Check the branches; with `change` or `tag` ask the guards instead. CheckError (exit code 1) is the refusal."""
    if change and not branch:
        fix = "name the branch that the change is for, such as r2.0"
        raise UsageError("branch.check --change needs a branch", fix=fix)
    if branch and not change:
        raise UsageError("a branch alone is no question", got=branch, fix="add --change, or leave the branch out")
    if change and tag:
        raise UsageError("one question at a time", got="--change and --tag", fix="ask twice")
    known = load_manifest(MANIFEST)
    day = parse_day(as_of) if as_of else guard_day(known, today())
    if change and branch:
        _answer(may_merge(status_of(known, branch, day)), as_json)
    elif tag:
        _answer(may_tag_version(known, tag, day), as_json)
    else:
        problems = [str(problem) for problem in check(known, day)]
        report.emit({"problems": problems}, as_json, "\n".join(problems) or "all branches are in order")
        if problems:
            raise CheckError(f"{len(problems)} branch problems", where="release/manifest.toml", got="; ".join(problems))


def _answer(verdict: Verdict, as_json: bool) -> None:
    if verdict or as_json:
        report.emit({"allowed": verdict.allowed, "reason": verdict.reason}, as_json, verdict.reason)
    if not verdict:
        raise CheckError("refused", where="release/manifest.toml", got=verdict.reason)


def coming(as_of: str | None, form: str) -> None:
    """Print what changes in the year after a day: a table, JSON, a calendar or a drawing."""
    known, day = load_manifest(MANIFEST), parse_day(as_of)
    events = plan(known, day)
    match form:
        case "table":
            text = plan_table(events)
        case "json":
            text = json_text(plan_document(events, day))
        case "ical":
            text = calendar(events, day)
        case "svg":
            text = timeline(known, day)
        case _:
            raise unknown("form", form, FORMS)
    print(text, end="")


def advance(
    branch: str, to: str | None, on: str | None, following: str | None, reason: str | None, confirm: bool
) -> None:
    """Move a branch to its next phase in the manifest; without `confirm` only show the change."""
    phases = [str(phase) for phase in Phase]
    if to is not None and to not in phases:
        raise unknown("phase", to, phases)
    after = parse_day(following, "--next") if following else None
    step = Advance(branch, parse_day(on, "--on"), Phase(to) if to else None, after, reason)
    text = MANIFEST.read_text(encoding="utf-8")
    new = advanced(text, step, MANIFEST)
    print(difference(text, new, str(MANIFEST.relative_to(ROOT))), end="")
    if not confirm:
        report.say("nothing is written yet: add --confirm")
        return
    files = generate.outputs(parse_manifest(new, MANIFEST))
    write_text(MANIFEST, new)
    for path in release_generate.write(files, ROOT):
        report.say(f"written: {path}")
    report.say("read the difference with `git diff`, then commit it")


def install_hooks() -> None:
    """Install the git hooks that ask the guards."""
    for path in hooks.install():
        report.say(f"installed: {path}")
