"""Tasks of the group `branch`."""

from __future__ import annotations

from typing import Any

from ci.cli import DAY, JSON, command


@command(as_of=DAY, json=JSON)
def branch_status(_: Any, as_of: str | None = None, json: bool = False) -> None:
    """Print every branch's phase and dates.

    Example: python3 tasks.py branch.status --as-of 2022-11-01
    """
    from ci import branch_commands

    branch_commands.status(as_of, json)


@command(
    branch="with --change: the branch",
    change="only ask whether the branch takes changes",
    tag="only ask whether this version may be tagged",
    as_of=DAY,
    json=JSON,
)
def branch_check(
    _: Any,
    branch: str = "",
    change: bool = False,
    tag: str | None = None,
    as_of: str | None = None,
    json: bool = False,
) -> None:
    """Check the branches against the policy; exit 1 when one is overdue or out of order, or a guard refuses.

    Example: python3 tasks.py branch.check r2.0 --change
    """
    from ci import branch_commands

    branch_commands.guard(branch or None, change, tag, as_of, json)


@command(as_of=DAY, form="table, json, ical or svg", json="the same as --form json")
def branch_plan(_: Any, as_of: str | None = None, form: str = "table", json: bool = False) -> None:
    """Print what changes in the coming year: branches, systems, Pythons.

    Example: python3 tasks.py branch.plan --form ical
    """
    from ci import branch_commands

    branch_commands.coming(as_of, "json" if json else form)


@command(
    branch="the branch, such as r2.0; with --to Planning a new one",
    to="the phase that it enters (default: the planned one)",
    on="the day on which it did, YYYY-MM-DD (default: today)",
    following="the estimate for the phase after that (default: the policy's last day)",
    reason="accept what breaks the policy, and say why",
    confirm="write the change; without it, only show it",
)
def branch_advance(
    _: Any,
    branch: str,
    to: str | None = None,
    on: str | None = None,
    following: str | None = None,
    reason: str | None = None,
    confirm: bool = False,
) -> None:
    """Move a branch to its next phase: edits the manifest and what is generated from it, as a change to review.

    Example: python3 tasks.py branch.advance r2.1 --to Planning
    """
    from ci import branch_commands

    branch_commands.advance(branch, to, on, following, reason, confirm)


@command()
def branch_hook(_: Any) -> None:
    """Install git hooks that refuse merges into, and pushes to, branches that take no changes, and their tags.

    Example: python3 tasks.py branch.hook
    """
    from ci import branch_commands

    branch_commands.install_hooks()
