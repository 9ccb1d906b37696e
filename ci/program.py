"""The command line `python3 tasks.py`, inside the project's environment: invoke, with exit code 2 for wrong usage."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from invoke.exceptions import Exit, ParseError
from invoke.program import Program

from ci.paths import ROOT

PROGRAM = "tasks.py"
BRANCH = re.compile(r"r\d+\.\d+")
GROUPED = re.compile(r"(branch|ci|image|release|wheel)\.[a-z]+")


def _refusing(parse: Callable[[], Any]) -> None:
    try:
        parse()
    except (ParseError, ValueError) as error:  # ValueError: a number was wanted
        advice = f"see `python3 {PROGRAM} --list` and `python3 {PROGRAM} --help TASK`"
        raise Exit(f"error: {error}\n  to do: {advice}", code=2) from error


class Tasks(Program):
    """invoke's program, which by itself ends a misspelt command line with exit code 1."""

    def parse_core(self, argv: list[str] | None) -> None:
        _refusing(lambda: super(Tasks, self).parse_core(argv))

    def parse_tasks(self) -> None:
        _refusing(lambda: super(Tasks, self).parse_tasks())


def with_branch(words: list[str]) -> list[str]:
    """`branch.check r2.0` as invoke wants it, which has no optional words without an option's name."""
    named = []
    for before, word in pairwise(["", *words]):
        named += ["--branch", word] if before == "branch.check" and BRANCH.fullmatch(word) else [word]
    return named


def with_help(words: list[str]) -> list[str]:
    """`release.key --help` as a question about the task: invoke would take `--help` for the path that the task wants."""
    before = words[: words.index("--help")] if "--help" in words else []
    asked = [word for word in before if GROUPED.fullmatch(word)]
    return ["--help", asked[-1]] if asked else words


def main(words: list[str]) -> None:
    """Run a command line with the tasks that invoke finds in tasks.py; ends the process."""
    program = Tasks(name=PROGRAM, binary=f"python3 {PROGRAM}")
    program.run([PROGRAM, f"--search-root={ROOT}", *(with_branch(with_help(words)) or ["--list"])])


if __name__ == "__main__":
    main(sys.argv[1:])
