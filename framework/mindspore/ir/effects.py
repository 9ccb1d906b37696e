"""What a running graph does besides computing (print, raise), and Python values that only the run can complete.

Such a value is a tree: Python objects and containers of them, with `Output` in the place of tensors and `Made` where a function must be
called. An effect is a tree whose calls do something.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mindspore.ir.types import TensorType


@dataclass(frozen=True, slots=True)
class Output:
    """Stands for the tensor with this index."""

    index: int

    def __repr__(self) -> str:
        return f"${self.index}"


@dataclass(frozen=True, slots=True)
class Made:
    """Stands for what `function` gives for the values of these trees."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        parts = [*map(repr, self.args), *(f"{k}={v!r}" for k, v in self.kwargs.items())]
        return f"{getattr(self.function, '__name__', self.function)}({', '.join(parts)})"


def completed(tree: Any, tensor: Callable[[int], Any]) -> Any:
    """The Python value that `tree` describes; `tensor` gives the tensors by index."""
    if isinstance(tree, Output):
        return tensor(tree.index)
    if isinstance(tree, Made):
        kwargs = {k: completed(v, tensor) for k, v in tree.kwargs.items()}
        return tree.function(*[completed(a, tensor) for a in tree.args], **kwargs)
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*[completed(t, tensor) for t in tree])
    if isinstance(tree, tuple | list):
        return type(tree)(completed(t, tensor) for t in tree)
    if type(tree) is dict:
        return {k: completed(v, tensor) for k, v in tree.items()}
    return tree


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """What an `EMIT` node does with its tensors.

    Attributes:
        action: the tree that is completed with the tensors.
        written: positions of the graph's bound tensors that get the last of the node's tensors first: what the program wrote before it
            raises.
    """

    action: Made
    written: tuple[int, ...] = ()

    def __repr__(self) -> str:
        return repr(self.action)

    def carry_out(self, tensors: Sequence[Any], bound: Sequence[Any]) -> None:
        """Raises what the program raises."""
        values = tensors[len(tensors) - len(self.written) :]
        for position, value in zip(self.written, values, strict=True):
            bound[position].assign_from(value)
        completed(self.action, tensors.__getitem__)


Site = tuple[Effect, tuple[TensorType, ...]]
"""An effect of a compiled graph, with the types of its values."""


def handed_over(type: TensorType) -> bool:
    """Whether native code hands over the memory of a value of this type: one without elements has none."""
    return not any(isinstance(n, int) and n == 0 for n in type.shape)
