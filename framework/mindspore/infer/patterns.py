"""Patterns of ``match``: structure is compared while compiling, values of tensors at run time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mindspore.infer import language as lang
from mindspore.infer.evaluation import dict_key, mapping
from mindspore.infer.machine import Machine, builtin_calls, evaluates
from mindspore.infer.operations import identical, operation
from mindspore.infer.structure import elements, is_sequence, make_dict, make_list, python_class, to_python
from mindspore.infer.truth import known_truth, truth_node
from mindspore.infer.values import Abstract, Frame, Known, Sequence, Unusable
from mindspore.ir.graph import Apply, Node

_SELF_MATCHING = (bool, bytes, dict, float, frozenset, int, list, set, str, tuple)
"""Classes whose one positional pattern is for the whole subject."""


@dataclass(frozen=True, slots=True)
class Literal:
    """``1``, ``Color.RED``: equal to the value with this index."""

    index: int


@dataclass(frozen=True, slots=True)
class Same:
    """``None``, ``True``, ``False``."""

    value: bool | None


@dataclass(frozen=True, slots=True)
class Capture:
    """``name``, ``_`` (None), and ``pattern as name``."""

    name: str | None
    pattern: Pattern | None


@dataclass(frozen=True, slots=True)
class Star:
    """``*name`` in a sequence."""

    name: str | None


@dataclass(frozen=True, slots=True)
class Sequenced:
    """``[a, b, *rest]``."""

    parts: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Mapped:
    """``{key: pattern, **rest}``; keys by index."""

    keys: tuple[int, ...]
    parts: tuple[Pattern, ...]
    rest: str | None


@dataclass(frozen=True, slots=True)
class Instance:
    """``Class(pattern, name=pattern)``; the class by index."""

    cls: int
    parts: tuple[Pattern, ...]
    names: tuple[str, ...]
    named: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Options:
    """``a | b``."""

    parts: tuple[Pattern, ...]


Pattern = Literal | Same | Capture | Star | Sequenced | Mapped | Instance | Options


@evaluates(lang.MATCH)
def match(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    subject, *values = machine.values(frame, node.inputs)
    attempt = _Attempt(machine, values)
    truth = attempt.truth(node.attrs["pattern"], subject)
    unbound = [Unusable(f"the variable {n!r} is used before it is assigned") for n in node.attrs["names"]]
    captured = [attempt.captured.get(n, u) for n, u in zip(node.attrs["names"], unbound, strict=True)]
    return Sequence((truth, *captured))


@dataclass(slots=True)
class _Attempt:
    machine: Machine
    values: list[Abstract]
    captured: dict[str, Abstract] = field(default_factory=dict)
    conditions: list[Node] = field(default_factory=list)
    """What must hold at run time."""

    def truth(self, pattern: Pattern, subject: Abstract) -> Abstract:
        if not self.fits(pattern, subject):
            return Known(False)
        emitter: Any = self.machine.emitter
        result: Abstract = Known(True)
        for condition in self.conditions:
            result = condition if isinstance(result, Known) else emitter.logical_and(result, condition)
        return result

    def fits(self, pattern: Pattern, subject: Abstract) -> bool:
        """False when `subject` cannot fit; `conditions` says what must hold besides."""
        match pattern:
            case Literal(index):
                return self.holds(operation(self.machine, "==", (subject, self.values[index])))
            case Same(value):
                return self.holds(identical(self.machine, subject, Known(value)))
            case Capture(name, inner):
                return (inner is None or self.fits(inner, subject)) and self.capture(name, subject)
            case Sequenced(parts):
                return self._sequence(parts, subject)
            case Mapped():
                return self._mapping(pattern, subject)
            case Instance():
                return self._instance(pattern, subject)
            case Options(parts):
                return self._options(parts, subject)
        raise AssertionError("Python's own parser refuses * outside sequence patterns")

    def capture(self, name: str | None, subject: Abstract) -> bool:
        if name is not None:
            self.captured[name] = subject
        return True

    def holds(self, condition: Abstract) -> bool:
        truth = known_truth(self.machine, condition)
        if truth is None:
            self.conditions.append(truth_node(self.machine, condition))
        return truth is not False

    def _sequence(self, parts: tuple[Pattern, ...], subject: Abstract) -> bool:
        if not is_sequence(subject) and python_class(subject) is not range:
            return False
        given = elements(self.machine, subject)
        star = next((i for i, p in enumerate(parts) if isinstance(p, Star)), None)
        if star is None:
            return len(given) == len(parts) and all(map(self.fits, parts, given))
        after = len(parts) - star - 1
        if len(given) < star + after:
            return False
        middle = make_list(self.machine, given[star : len(given) - after])
        ends = zip((*parts[:star], *parts[star + 1 :]), (*given[:star], *given[len(given) - after :]), strict=True)
        starred = parts[star]
        assert isinstance(starred, Star)
        return all(self.fits(p, g) for p, g in ends) and self.capture(starred.name, middle)

    def _mapping(self, pattern: Mapped, subject: Abstract) -> bool:
        if not issubclass(python_class(subject), dict):
            return False
        items = mapping(self.machine, subject)
        for index, part in zip(pattern.keys, pattern.parts, strict=True):
            key = dict_key(self.machine, self.values[index])
            if key not in items or not self.fits(part, items.pop(key)):
                return False
        return pattern.rest is None or self.capture(pattern.rest, make_dict(self.machine, items))

    def _instance(self, pattern: Instance, subject: Abstract) -> bool:
        cls = self.values[pattern.cls]
        if not self.holds(builtin_calls[isinstance](self.machine, (subject, cls), {})):
            return False
        parts, owner = pattern.parts, to_python(self.machine, cls)
        if parts and owner in _SELF_MATCHING:
            return self.fits(parts[0], subject)
        names = getattr(owner, "__match_args__", ())
        if len(parts) > len(names):
            raise TypeError(f"{owner.__name__}() accepts {len(names)} positional sub-patterns ({len(parts)} given)")
        return all(
            self._attribute(subject, n, p)
            for n, p in zip((*names[: len(parts)], *pattern.names), (*parts, *pattern.named), strict=True)
        )

    def _attribute(self, subject: Abstract, name: str, pattern: Pattern) -> bool:
        try:
            value = self.machine.attribute(subject, name)
        except AttributeError:
            return False
        return self.fits(pattern, value)

    def _options(self, parts: tuple[Pattern, ...], subject: Abstract) -> bool:
        """Any alternative; those that only run time decides must not capture, for there would be several values."""
        emitter: Any = self.machine.emitter
        undecided: list[Node] = []
        for part in parts:
            attempt = _Attempt(self.machine, self.values)
            truth = attempt.truth(part, subject)
            if isinstance(truth, Known) and not truth.value:
                continue
            if attempt.captured and (undecided or not isinstance(truth, Known)):
                raise TypeError(
                    "an alternative of '|' that only run time decides cannot capture names. Write one case for each alternative."
                )
            if isinstance(truth, Known):
                self.captured |= attempt.captured
                return True
            assert isinstance(truth, Node)
            undecided.append(truth)
        if undecided:
            condition = undecided[0]
            for other in undecided[1:]:
                condition = emitter.logical_or(condition, other)
            self.conditions.append(condition)
        return bool(undecided)
