"""The language of untyped graphs: what the front end writes and inference reads.

A graph is a function. Its output is one `BLOCK` whose inputs are the nodes in the order of evaluation and, last, the result; so
effects (attribute writes, raise) need no tokens before inference. Suites of ``if``, ``for`` and ``while`` are graphs that read nodes of
the enclosing graph and end with a completion: how control leaves them, and with which values of the variables they assign.
"""

from __future__ import annotations

from dataclasses import dataclass

from mindspore.ir.graph import Structured

BLOCK = Structured("Block")
"""(*nodes in order of evaluation, result)."""
GLOBAL = Structured("Global")
"""() with attr ``name``: a module global or builtin of the function being compiled."""
FREE = Structured("Free")
"""() with attr ``name``: the content of a closure cell of the Python function."""
ATTRIBUTE = Structured("Attribute")
"""(object) with attr ``name``."""
SET_ATTRIBUTE = Structured("SetAttribute")
"""(object, value[, previous]) with attr ``name``; with `previous` nothing is written when the value is still that one."""
SUBSCRIPT = Structured("Subscript")
"""(object, index) with attr ``augmented``: what is read is the target of an augmented assignment."""
SET_SUBSCRIPT = Structured("SetSubscript")
"""(object, index, value[, previous]) with attr ``stored``: the object after the write, a new value for tensors, which is lost unless
`stored`. With `previous` nothing is written when the value is still that one, or what was changed is a copy."""
DELETE_SUBSCRIPT = Structured("DeleteSubscript")
"""(object, index)."""
OPERATION = Structured("Operation")
"""(left, right) or (operand) with attrs ``symbol`` and ``in_place``."""
INVOKE = Structured("Invoke")
"""(function, *arguments) with attr ``kinds``: per argument ``""`` positional, ``*``, ``**``, or the keyword's name."""
FUNCTION = Structured("Function")
"""(graph, *defaults) with attr ``signature``: a closure over the nodes that the graph reads."""
DISPLAY = Structured("Display")
"""(*elements) with attrs ``kind`` (tuple, list, set or iterator) and ``starred`` (a flag per element)."""
DICTIONARY = Structured("Dictionary")
"""(*keys and values in turn); the key `MERGE` stands for ``**value``."""
SLICE = Structured("Slice")
"""(start, stop, step)."""
FORMAT = Structured("Format")
"""(value, specification) with attr ``conversion``: a part of an f-string."""
CONCATENATE = Structured("Concatenate")
"""(*strings)."""
UNPACK = Structured("Unpack")
"""(iterable) with attrs ``before`` and ``after`` (None without a starred target): a tuple with one value per target."""
COLLECT = Structured("Collect")
"""(iterable, body): the lists that body(item) returns, joined: a comprehension."""
GENERATE = Structured("Generate")
"""(function, *arguments): the generator that runs a call of the function, which yields."""
YIELD = Structured("Yield")
"""(value)."""
YIELD_FROM = Structured("YieldFrom")
"""(iterable): hands out each element; what a generator returns at its end."""
BOX = Structured("Box")
"""(value): a variable that a nested function shares."""
BOX_GET = Structured("BoxGet")
"""(box)."""
BOX_SET = Structured("BoxSet")
"""(box, value)."""
RAISE = Structured("Raise")
"""(exception) or (): ends the compilation with the user's exception."""
TRY = Structured("Try")
"""(body, handler, after): graphs; a completion. The handler's parameter is the exception. `after` runs when the body raised nothing:
after its case `NEXT`, or with attr ``always`` however it ended."""
MATCH = Structured("Match")
"""(subject, *values) with attrs ``pattern`` (`patterns`) and ``names``: whether it matches, then the captured values."""
IMPORT = Structured("Import")
"""() with attrs ``module``, ``names`` (of ``from``, empty otherwise) and ``level``: the module."""
BRANCH = Structured("Branch")
"""(condition, then, else): graphs without parameters; the completion of the one that runs. Attr ``logical``: ``and``, ``or`` or ``""``."""
FOR = Structured("For")
"""(iterable, body, else, *variables): body over (item, *variables), else over the variables; a completion. Attr ``has_else``."""
LOOP = Structured("Loop")
"""(condition, body, else, *variables): a ``while``; graphs over the variables; a completion. Attr ``has_else``."""
AFTER = Structured("After")
"""(completion, graph): graph over the values of the case `NEXT`; the other cases pass."""
COMPLETE = Structured("Complete")
"""(*values) with attr ``case``, one of the names below: a completion."""

NEXT, CONTINUE, BREAK, DONE, RETURN = "next", "continue", "break", "done", "return"
"""Ways to leave a suite: fall through to what follows, next iteration, break, loop condition false, return from the function."""


class _Merge:
    def __repr__(self) -> str:
        return "**"


MERGE = _Merge()


@dataclass(frozen=True, slots=True)
class Unassigned:
    """The value of the local variable `name` before its first assignment."""

    name: str


@dataclass(frozen=True, slots=True)
class Signature:
    """The parameters of a function; its graph has one parameter for each, in the order of the fields."""

    positional_only: int
    names: tuple[str, ...]
    keyword_only: tuple[str, ...] = ()
    star: str | None = None
    double_star: str | None = None
    defaults: tuple[str, ...] = ()
    """Names that have a default, in the order of the default inputs of `FUNCTION`."""

    @property
    def parameters(self) -> tuple[str, ...]:
        extra = [n for n in (self.star, self.double_star) if n is not None]
        return (*self.names, *self.keyword_only, *extra)
