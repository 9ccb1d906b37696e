"""Git hooks that ask the guards before a merge into a release branch, and before branches and tags are pushed."""

from __future__ import annotations

from pathlib import Path

from ci import git
from ci.errors import UsageError
from ci.files import write_text
from ci.paths import ROOT

MARK = "# Installed by `python3 tasks.py branch.hook`."
START = f"""#!/bin/sh
{MARK}
set -e
cd "$(git rev-parse --show-toplevel)"
# A hook inherits git's variables, which would send the guards' own questions to git astray.
unset $(git rev-parse --local-env-vars)
guard() {{ python3 tasks.py branch.check "$@" >&2; }}
"""
HOOKS = {
    "pre-push": START
    + """while read -r local_ref local_id remote_ref remote_id; do
  case "$remote_ref" in
    refs/heads/r[0-9]*.[0-9]*) guard "${remote_ref#refs/heads/}" --change < /dev/null ;;
    refs/tags/[0-9]* | refs/tags/v[0-9]*) tag="${remote_ref#refs/tags/}"; guard --tag "${tag#v}" < /dev/null ;;
  esac
done
""",
    "pre-merge-commit": START
    + """branch="$(git symbolic-ref --short -q HEAD || true)"
case "$branch" in r[0-9]*.[0-9]*) guard "$branch" --change < /dev/null ;; esac
""",
}


def install(root: Path = ROOT) -> list[Path]:
    """Write the hooks into the repository of the checkout; a hook that somebody else wrote is left alone and refused."""
    folder = git.hooks(root)
    if folder is None:
        raise UsageError("hooks need a git checkout", where=str(root), fix="clone the repository with git")
    for name in HOOKS:
        path = folder / name
        if path.exists() and MARK not in path.read_text(encoding="utf-8", errors="replace"):
            fix = "call `python3 tasks.py branch.check BRANCH --change` from it, or move it away"
            raise UsageError("another hook is there already", where=str(path), fix=fix)
    for name, text in HOOKS.items():
        write_text(folder / name, text)
        (folder / name).chmod(0o755)
    return [folder / name for name in HOOKS]
