"""Methods that change sets made in the graph; their elements are known while compiling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mindspore.infer.compile_time import by_python
from mindspore.infer.machine import Machine, builtin_calls
from mindspore.infer.structure import NotConstantError, describe, fresh, to_python
from mindspore.infer.values import NONE, Abstract, Set

_CHANGES = (
    "add", "clear", "difference_update", "discard", "intersection_update", "pop", "remove", "symmetric_difference_update", "update",
)  # fmt: skip


def _changing(name: str) -> Any:
    def rule(machine: Machine, args: tuple[Abstract, ...], kwargs: Mapping[str, Abstract]) -> Abstract:
        owner = args[0]
        if not isinstance(owner, Set):
            raise TypeError(f"set.{name} would change {describe(owner)}, which lives outside the graph. Copy it first.")
        try:
            given = [to_python(machine, a) for a in args[1:]]
        except NotConstantError as error:
            raise TypeError(f"the elements of a set must be known while compiling: {error} Use a list.") from None
        held = to_python(machine, owner)
        result = by_python(lambda: getattr(held, name)(*given))
        machine.heap.set(owner, dict.fromkeys(held, NONE))
        return fresh(machine, result)

    return rule


builtin_calls.update({getattr(set, name): _changing(name) for name in _CHANGES})
