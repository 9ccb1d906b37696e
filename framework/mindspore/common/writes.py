"""Changes of a tensor's elements in place, noted on the tape: gradients follow an assignment to elements, and refuse other changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mindspore import _native
from mindspore.common.tensor_class import Tensor
from mindspore.primitives.compute import Walk


@dataclass(frozen=True, slots=True)
class Write:
    """Stands in the place of an operator on the tape: the elements of a tensor changed by ``what``.

    With a ``walk`` the arguments are the tensor, what was written to its places, and their indices; the result is the tensor as it was.
    """

    what: str
    walk: Walk | None = None


def record_write(what: str, target: Any, value: Any) -> None:
    """Notes, if a tape is set, that the elements of `target` change to `value`."""
    tape = _native.get_tape()
    if tape is not None:
        tape.append((Write(what), (target, value), None))


def record_setitem(target: Any, value: Any, plan: Any) -> None:
    """Notes, if a tape is set, that the elements of `target` that a plan takes are about to change to `value`."""
    tape = _native.get_tape()
    if tape is not None:
        before = _native.TensorBase.copy(target)
        indices = [Tensor(i) for i in plan.indices]
        tape.append((Write("setitem", plan.walk), (target, value, *indices), before))


def versions(records: list[Any], scatter: Any) -> tuple[list[Any], dict[int, Any]]:
    """`records` with every assignment to elements as a call of `scatter` from one version of the tensor to the next.

    A tensor that is assigned to stands for its last version; what came before refers to the copies that were kept. Gives also the first
    version of each such tensor, by its id.
    """
    if not any(isinstance(r[0], Write) and r[0].walk is not None for r in records):
        return records, {}
    names: dict[int, Any] = {}

    def named(value: Any) -> Any:
        if isinstance(value, tuple | list):
            return type(value)(map(named, value)) if any(id(v) in names for v in value) else value
        return names.get(id(value), value)

    found: list[Any] = []
    for callable_, args, result, *rest in reversed(records):
        if isinstance(callable_, Write) and callable_.walk is not None:
            target, value, *indices = args
            operands = (result, named(value), *indices) if value is not target else (result, result, *indices)
            found.append((scatter, (operands,), named(target), {"walk": callable_.walk, "kind": "set"}))
            names[id(target)] = result
        else:
            found.append((callable_, tuple(map(named, args)), named(result), *rest))
    return found[::-1], names
