"""Turns functions into tasks: help from the docstring, errors into one message and an exit code."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from invoke.tasks import Task

from ci import bootstrap, report

JSON = "print the result as JSON on stdout"
DAY = "the day to look at, YYYY-MM-DD (default: today)"


def guarded(body: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call `body`; what it refuses becomes a message on stderr and exit code 1 or 2, Ctrl-C exit code 130."""
    try:
        return body(*arguments, **options)
    except KeyboardInterrupt:
        report.say("interrupted")
        sys.exit(130)
    except Exception as error:
        code = getattr(error, "exit_code", None)
        if code is None:
            raise
        report.say(f"error: {error}")
        sys.exit(code)


def command(*repeatable: str, **help_texts: str) -> Callable[[Callable[..., Any]], Task[Any]]:
    """A task that runs in the project's own environment. `repeatable` options gather a list; all have a help text."""

    def decorate(body: Callable[..., Any]) -> Task[Any]:
        @functools.wraps(body)
        def run(*arguments: Any, **options: Any) -> Any:
            bootstrap.main(sys.argv[1:])
            if "--help" in options.values():  # `invoke` itself took it for a word that the task wants
                from ci import program

                program.main(sys.argv[1:])
            return guarded(body, *arguments, **options)

        return Task(run, help=help_texts, iterable=repeatable)

    return decorate
