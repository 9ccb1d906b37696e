"""What a compiled graph took for granted about the world outside: checked natively before each call."""

from __future__ import annotations

from collections.abc import Sequence
from types import CellType, ModuleType
from typing import Any

Guard = tuple[str, Any, Any, Any]
Read = tuple[str, Any, Any, Any]
"""What kind of thing was read, of which object, under which key, and what was found."""
_FROZEN_PACKAGES = frozenset(
    {"mindspore", "numpy", "math", "operator", "functools", "builtins", "typing", "collections"}
)


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()
"""The expected content of a dict that must not have the key."""


class GuardRecorder:
    """Collects guards once each. Modules of libraries count as constant."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int, Any], Guard] = {}
        self.opaque: list[Any] = []
        """Objects that were read, and that no guard watches."""
        self.ran: list[Any] = []
        """Functions of the program that Python ran while compiling."""
        self.log: list[Read] = []
        """Everything that was read, in order and as often as it was: what `reuse` follows."""

    def entries(self) -> list[Guard]:
        return list(self._found.values())

    def item(self, container: dict[Any, Any], key: Any, expected: Any) -> None:
        self.log.append(("item", container, key, expected))
        self._found.setdefault(("dict", id(container), key), ("dict", container, key, expected))

    def cell(self, cell: CellType, expected: Any) -> None:
        self.log.append(("cell", cell, None, expected))
        self._found.setdefault(("cell", id(cell), None), ("cell", cell, None, expected))

    def class_(self, cls: type, name: str, expected: Any) -> None:
        """An attribute that `cls` or one of its bases defines."""
        if not is_library(cls.__module__):
            self._found.setdefault(("class", id(cls), name), ("class", cls, name, expected))

    def element(self, container: list[Any], index: int) -> None:
        self.log.append(("element", container, index, container[index]))
        self._found.setdefault(("item", id(container), index), ("item", container, index, container[index]))

    def elements(self, container: list[Any]) -> None:
        for index in range(len(container)):
            self.element(container, index)

    def length(self, container: Any) -> None:
        self.log.append(("length", container, None, len(container)))
        self._found.setdefault(("len", id(container), None), ("len", container, None, len(container)))

    def global_(self, namespace: dict[str, Any], name: str, expected: Any) -> None:
        if not is_library(namespace.get("__name__")):
            self.item(namespace, name, expected)

    def attribute(self, owner: Any, name: str, value: Any) -> None:
        """Guards the dict that holds the attribute: the object's own, or one that it keeps (a Cell's parameters and cells).

        With ABSENT as the value all of them, which must go on without it.
        """
        self.log.append(("attribute", owner, name, value))
        begin = len(self.log)
        self._attribute(owner, name, value)
        del self.log[begin:]

    def held(self, owner: Any, found: Sequence[Any]) -> None:
        """Iteration over an object that keeps its elements `found` in a dict of its own (a CellList)."""
        self.log.append(("held", owner, None, found))
        begin = len(self.log)
        for held in getattr(owner, "__dict__", {}).values():
            if isinstance(held, dict) and found and any(h is found[0] for h in held.values()):
                self.length(held)
                for key, each in held.items():
                    self.item(held, key, each)
        del self.log[begin:]

    def holds(self, container: Any) -> None:
        """What a list or dict holds; of a set only how much."""
        if isinstance(container, list | dict | set):
            self.length(container)
        if isinstance(container, list):
            self.elements(container)
        elif isinstance(container, dict):
            for key, each in container.items():
                self.item(container, key, each)

    def content(self, container: Any) -> None:
        """What lists, dicts and tuples in each other hold."""
        pending, seen = [container], set()
        while pending:
            current = pending.pop()
            if isinstance(current, list | dict | tuple | set) and id(current) not in seen:
                seen.add(id(current))
                self.holds(current)
                pending += current.values() if isinstance(current, dict) else current

    def leak(self, value: Any) -> None:
        """Python code gets to see `value` as it is, so that nothing is known about what it reads of it."""
        self.log.append(("leak", value, None, None))

    def _attribute(self, owner: Any, name: str, value: Any) -> None:
        if isinstance(owner, ModuleType):
            self.global_(vars(owner), name, value)
            return
        if isinstance(owner, type):
            self.class_(owner, name, _unbound(owner, name))
            return
        own: dict[str, Any] | None = getattr(owner, "__dict__", None)
        if not isinstance(own, dict):
            if value is not ABSENT or hasattr(type(owner), "__slots__"):
                self.opaque.append(owner)
            return
        if value is ABSENT:
            for held in (own, *own.values()):
                if type(held) is dict:
                    self.item(held, name, ABSENT)
            self.class_(type(owner), name, ABSENT)
            return
        if name in own:
            self.item(own, name, value)
            return
        for held in own.values():
            if isinstance(held, dict) and held.get(name, ABSENT) is value:
                self.item(held, name, value)
                return
        if not callable(value):
            self.item(own, name, ABSENT)
            self.class_(type(owner), name, _unbound(type(owner), name))


def _unbound(cls: type, name: str) -> Any:
    """What the class or its bases hold under `name`, as the guard will find it."""
    return next((vars(c)[name] for c in cls.__mro__ if name in vars(c)), ABSENT)


def is_library(module: Any) -> bool:
    return isinstance(module, str) and module.partition(".")[0] in _FROZEN_PACKAGES
