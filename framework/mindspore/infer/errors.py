"""Errors of inference: the user's place first, then the chain of calls, then the message."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mindspore.base.errors import GraphTypeError, GraphValueError, InternalError, Location

if TYPE_CHECKING:
    from mindspore.infer.values import Frame

_OWN_SOURCES = str(Path(__file__).resolve().parents[1]) + os.sep
"""Functions of this package run like the user's, but are not what the user wrote: errors do not point into them."""
_MOST_LINES = 20
_OF_PROGRAMS = (LookupError, ArithmeticError, AttributeError, NameError, AssertionError, ImportError, StopIteration)
"""What the compiler itself never raises to say that it does not take something."""
_parents: dict[type, type] = {TypeError: GraphTypeError, ValueError: GraphValueError}
_classes: dict[type, type[Exception]] = {}


class Located:
    """Marks errors that already say where they happened; the message is printed as it is (KeyError would quote it)."""

    __str__ = Exception.__str__


def located(error: Exception, frames: Iterable[Frame]) -> Exception:
    """`error` with the user's source position in front, of a subclass of the same built-in class.

    Exceptions of the user's own classes stay themselves and get the position as a note.
    """
    if isinstance(error, Located | InternalError | SyntaxError):
        return error
    return carried_by(error, lines_of(getattr(error, "raised_at", None) or places_of(frames)))


def lines_of(places: Sequence[tuple[Location, str]]) -> list[str]:
    """Source positions for people, innermost first."""
    found = [p for p in places if not p[0].file.startswith(_OWN_SOURCES)] or places
    return _shortened([line for i, place in enumerate(reversed(found)) for line in _place(*place, innermost=i == 0)])


def lines_at(location: Location) -> list[str]:
    """A source position for people, with the calls that led there."""
    return lines_of([(each, each.function) for each in (*location.callers, location)])


def located_at(error: Exception, location: Location) -> Exception:
    """`error` of a running graph with the position of what failed in front, unless it has one."""
    return error if isinstance(error, Located) else carried_by(error, lines_at(location))


def carried_by(error: Exception, lines: Sequence[str]) -> Exception:
    """`error` with `lines` in front, or as a note of one of the user's own classes."""
    if type(error).__module__.partition(".")[0] not in ("builtins", "mindspore"):
        error.add_note("\n".join(lines))
        return error
    return _class(type(error))("\n".join([*lines, _text(error)]))


def places_of(frames: Iterable[Frame]) -> list[tuple[Location, str]]:
    """Where each activation is, from the outermost call to the current one."""
    return [(f.node.location, f.name) for f in frames if f.node is not None and f.node.location is not None]


def _shortened(lines: list[str]) -> list[str]:
    """A long chain of calls, as of endless recursion, without its middle."""
    if len(lines) <= _MOST_LINES:
        return lines
    return [*lines[: _MOST_LINES // 2 + 1], "...", *lines[-(_MOST_LINES // 2) :]]


def _text(error: Exception) -> str:
    if isinstance(error, KeyError) and len(error.args) == 1:
        return f"KeyError: {error.args[0]!r}"
    return str(error) or type(error).__name__


def _place(location: Location | None, name: str, innermost: bool) -> list[str]:
    assert location is not None
    source = location.source.strip()
    if not innermost:
        return [f"called from {location}, in {location.function or name}", f"    {source}"]
    column = max(location.column - 1 - (len(location.source) - len(location.source.lstrip())), 0)
    return [f"{location}, in {location.function or name}", f"    {source}", f"    {' ' * column}^"]


def _class(kind: type[Exception]) -> type[Exception]:
    """The class that carries positions for exceptions of the class `kind`, made once."""
    base = next(c for c in kind.__mro__ if c.__module__ == "builtins" and not issubclass(c, UnicodeError))
    if base not in _classes:
        parents = (Located, _parents.get(base, base))
        _classes[base] = type(f"Graph{base.__name__}", parents, {"__module__": __name__})
    return _classes[base]


def catchable(error: Exception) -> bool:
    """Whether the program raised `error`: TypeError and ValueError may also be the compiler's own refusals."""
    return (
        getattr(error, "raised_by_program", False)
        or isinstance(error, _OF_PROGRAMS)
        or type(error).__module__.partition(".")[0] not in ("builtins", "mindspore")
    )


def hide_internals() -> bool:
    """Whether tracebacks of the compiler itself are kept out of the user's sight."""
    return os.environ.get("MS_DEV_DEBUG") != "1"
