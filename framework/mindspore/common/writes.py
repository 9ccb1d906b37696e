"""Changes of a tensor's elements in place, noted on the tape: gradients see a tensor that was assigned as one value after another."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mindspore import _native
from mindspore.common.tensor_class import Tensor
from mindspore.primitives.compute import Walk


@dataclass(frozen=True, slots=True)
class Write:
    """Stands in the place of an operator on the tape: elements of a tensor were changed, at the places of ``walk`` or all of them.

    The arguments are the tensor, what was written, and the indices of the walk; the result is the tensor as it was before.
    """

    walk: Walk | None = None


def record_elements(target: Any, value: Any, walk: Walk, indices: Sequence[Any]) -> None:
    """Notes, if a tape is set, that elements of `target` are about to change to `value`."""
    tape = _native.get_tape()
    if tape is not None:
        before = _native.TensorBase.copy(target)
        tape.append((Write(walk), (target, value, *map(Tensor, indices)), before))


def assign_values(target: Any, value: Any) -> None:
    """Gives `target` the elements of `value`, which has its type.

    Under a tape the elements it had stay alive as a tensor of their own, which is what operators before have read.
    """
    tape = _native.get_tape()
    if tape is None:
        target.assign_from(value)
        return
    before = Tensor(target)
    target.set_storage(value.copy())
    tape.append((Write(), (target, value), before))


class Versions:
    """What the tensors that a tape's records name stood for when they were recorded; ``written``: those that were assigned, by id."""

    def __init__(self, records: Sequence[Any]) -> None:
        self.written: dict[int, tuple[list[int], list[Any]]] = {}
        for position, (callable_, args, before, *_) in enumerate(records):
            if isinstance(callable_, Write):
                positions, olds = self.written.setdefault(id(args[0]), ([], []))
                positions.append(position)
                olds.append(before)

    def at(self, position: int, tensor: Any) -> Any:
        """The value of `tensor` for the record at `position`: what the first assignment from there on replaced."""
        found = self.written.get(id(tensor))
        if found is None:
            return tensor
        positions, olds = found
        index = bisect_right(positions, position - 1)
        return olds[index] if index < len(olds) else tensor

    def all_at(self, position: int, operands: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(self.at(position, o) for o in operands) if self.written else tuple(operands)
