"""Errors of the compiler that carry the user's source position.

User mistakes raise Python's own TypeError, ValueError, ... so that ``except`` clauses written for MindSpore work; the
subclasses here only add where in the user's source it happened.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Location:
    """A place in the user's source; ``column`` counts from 1. ``callers``: the calls that led there, outermost first, if kept."""

    file: str
    line: int
    column: int
    function: str = ""
    source: str = ""
    callers: tuple[Location, ...] = field(default=(), repr=False, compare=False)

    def __str__(self) -> str:
        return f'File "{self.file}", line {self.line}, column {self.column}'


PLACE_MARK = "\x1f"
"""In a message of native code: behind it stands the number of a place of the program."""


class GraphSyntaxError(SyntaxError):
    """A Python construct that graph mode does not take, found before anything runs.

    Its ``filename``, ``lineno``, ``offset`` and ``text`` are those of `location`, as of Python's own syntax errors.
    """

    def __init__(self, message: str, location: Location | None = None) -> None:
        super().__init__(message)
        if location is not None:
            self.filename, self.lineno, self.offset = location.file, location.line, location.column
            self.text = location.source or None

    def __str__(self) -> str:
        return str(self.msg)


class GraphTypeError(TypeError):
    """An operation in a graph received types that do not fit."""


class GraphValueError(ValueError):
    """An operation in a graph received shapes or values that do not fit."""


class InternalError(AssertionError):
    """The compiler broke one of its own rules: a defect of MindSpore, not of the user's program."""
