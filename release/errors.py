"""Errors of the release tools. Each says what was expected, what was found and what to do."""

import difflib
from collections.abc import Sequence

ALIASES = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64", "debian": "debian12", "cuda": "gpu", "dev": "devel"}


class ReleaseError(Exception):
    """A refusal that a person can act on; printed as one message, without a traceback."""

    exit_code = 1


class ManifestError(ReleaseError):
    """The manifest cannot be used. Carries the place (`file`, `line`, `field`) beside the message."""

    exit_code = 2

    def __init__(self, file: str, line: int, field: str, expected: str, got: str, fix: str) -> None:
        super().__init__(f"{file}:{line}: {field}\n  expected: {expected}\n  got: {got}\n  fix: {fix}")
        self.file, self.line, self.field = file, line, field


class UsageError(ReleaseError):
    """A command asked for something that the manifest does not hold."""

    exit_code = 2


def nearest(word: str, choices: Sequence[str]) -> str | None:
    """The choice that `word` most likely meant, or None."""
    alias = ALIASES.get(word.lower())
    if alias in choices:
        return alias
    close = difflib.get_close_matches(word.lower(), choices, n=1, cutoff=0.5)
    return close[0] if close else None


def unknown(what: str, got: str, choices: Sequence[str], note: str = "") -> UsageError:
    """The error for a value outside `choices`: lists them, and names the nearest or gives `note`."""
    near = None if note else nearest(got, choices)
    hint = f"\n  did you mean: {near}" if near else ""
    why = f"\n  note: {note}" if note else ""
    return UsageError(f"unknown {what} {got!r}\n  expected one of: {', '.join(choices)}{hint}{why}")
