"""Layers that put a border around tensors."""

from __future__ import annotations

from typing import Any

from mindspore.common.checks import one_of
from mindspore.nn.cell import Cell
from mindspore.ops.padding import with_border

__all__ = [
    "ConstantPad1d", "ConstantPad2d", "ConstantPad3d", "Pad", "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d",
    "ReplicationPad1d", "ReplicationPad2d", "ReplicationPad3d", "ZeroPad2d",
]  # fmt: skip


class Pad(Cell):
    """A border around a tensor.

    Args:
        paddings: for each dimension the sizes before and after, a tuple of pairs.
        mode: "CONSTANT" for zeros; "REFLECT" mirrors the elements at the outermost ones, "SYMMETRIC" behind them.

    Raises:
        TypeError: `paddings` that is no tuple.
        ValueError: `paddings` without pairs, with negative sizes, not one for each dimension, or larger than can be mirrored; a mode that
            is unknown.

    Examples:
        >>> from mindspore import Tensor, nn
        >>> print(nn.Pad(((1, 2),), mode="REFLECT")(Tensor([1, 2, 3])))
        [2 1 2 3 2 1]
    """

    def __init__(self, paddings: Any, mode: str = "CONSTANT") -> None:
        super().__init__()
        if not isinstance(paddings, tuple):
            raise TypeError(f"For 'Pad', the type of 'paddings' must be tuple, but got {type(paddings).__name__}.")
        if not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in paddings):
            raise ValueError(f"For 'Pad', the dimension of 'paddings' must be (n, 2), but got {paddings}.")
        if any(n < 0 for pair in paddings for n in pair):
            raise ValueError(f"For 'Pad', all elements of 'paddings' must be >= 0, but got {paddings}.")
        self.paddings = tuple((before, after) for before, after in paddings)
        self.mode = one_of("Pad", "mode", mode, ("CONSTANT", "REFLECT", "SYMMETRIC"))

    def construct(self, x: Any) -> Any:
        if len(self.paddings) != x.ndim:
            raise ValueError(
                f"For 'Pad', the length of 'paddings' must be equal to the rank of the input, but got {self.paddings} and shape {x.shape}."
            )
        return with_border("Pad", x, self.paddings, self.mode.lower(), None)


class _Border(Cell):
    """A border around the last `rank` dimensions."""

    rank = 2
    mode = "constant"

    def __init__(self, padding: Any, value: Any = None) -> None:
        super().__init__()
        owner = type(self).__name__
        sizes = (padding,) * (2 * self.rank) if isinstance(padding, int) else padding
        if not isinstance(sizes, tuple) or not all(isinstance(n, int) for n in sizes):
            raise TypeError(f"For '{owner}', the 'padding' must be an int or a tuple of ints, but got {padding!r}.")
        lengths = [2 * n for n in range(1, self.rank + 1)] if self.mode == "constant" else [2 * self.rank]
        if len(sizes) not in lengths:
            raise ValueError(
                f"For '{owner}', the 'padding' must hold {' or '.join(map(str, lengths))} sizes, but got {padding}."
            )
        if self.mode == "reflect" and any(n < 0 for n in sizes):
            raise ValueError(f"For '{owner}', the 'padding' must hold sizes of at least 0, but got {padding}.")
        self.padding, self.value = sizes, value

    def construct(self, x: Any) -> Any:
        given = len(self.padding) // 2
        if x.ndim < given:
            raise ValueError(
                f"For '{self.cls_name}', the input must have at least {given} dimensions, but got shape {x.shape}."
            )
        pairs = tuple([(self.padding[2 * i], self.padding[2 * i + 1]) for i in range(given - 1, -1, -1)])
        return with_border(self.cls_name, x, ((0, 0),) * (x.ndim - given) + pairs, self.mode, self.value)

    def extend_repr(self) -> str:
        return f"padding={self.padding}"


class ConstantPad1d(_Border):
    """A border of one value around the last dimension: an int, or (left, right); negative sizes cut off."""

    rank = 1

    def __init__(self, padding: Any, value: Any) -> None:
        super().__init__(padding, value)


class ConstantPad2d(_Border):
    """A border of one value around the last two dimensions; negative sizes cut off.

    Args:
        padding: the size of the border, or (left, right, top, bottom); (left, right) for the last dimension alone.
        value: a number.

    Raises:
        TypeError: `padding` that is neither an int nor a tuple of ints.
        ValueError: a tuple of another length, or more cut off than there is.

    Examples:
        >>> from mindspore import nn, ops
        >>> print(nn.ConstantPad2d((1, 0, 0, 1), 7.0)(ops.ones((1, 1, 1, 2)))[0, 0])
        [[7. 1. 1.]
         [7. 7. 7.]]
    """

    def __init__(self, padding: Any, value: Any) -> None:
        super().__init__(padding, value)


class ConstantPad3d(_Border):
    """A border of one value around the last three dimensions: an int, or (left, right, top, bottom, front, back); see `ConstantPad2d`."""

    rank = 3

    def __init__(self, padding: Any, value: Any) -> None:
        super().__init__(padding, value)


class ZeroPad2d(_Border):
    """A border of zeros around the last two dimensions: `ConstantPad2d` with the value 0."""

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0)


class _Reflection(_Border):
    mode = "reflect"

    def __init__(self, padding: Any) -> None:
        super().__init__(padding)


class ReflectionPad1d(_Reflection):
    """A border that mirrors the last dimension at its outermost elements: an int, or (left, right).

    Examples:
        >>> from mindspore import Tensor, nn
        >>> print(nn.ReflectionPad1d(2)(Tensor([[1, 2, 3]])))
        [[3 2 1 2 3 2 1]]
    """

    rank = 1


class ReflectionPad2d(_Reflection):
    """A border that mirrors the last two dimensions at their outermost elements: an int, or (left, right, top, bottom)."""


class ReflectionPad3d(_Reflection):
    """A border that mirrors the last three dimensions: an int, or (left, right, top, bottom, front, back)."""

    rank = 3


class _Replication(_Border):
    mode = "replicate"

    def __init__(self, padding: Any) -> None:
        super().__init__(padding)


class ReplicationPad1d(_Replication):
    """A border that repeats the outermost elements of the last dimension: an int, or (left, right)."""

    rank = 1


class ReplicationPad2d(_Replication):
    """A border that repeats the outermost elements of the last two dimensions: an int, or (left, right, top, bottom)."""


class ReplicationPad3d(_Replication):
    """A border that repeats the outermost elements of the last three dimensions: an int, or (left, right, top, bottom, front, back)."""

    rank = 3
