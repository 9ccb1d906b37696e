"""Operators that tell something about a running program: ``Print`` and ``Assert``."""

from __future__ import annotations

from typing import Any

from mindspore.common.tensor_class import Tensor
from mindspore.ops.function_objects import FunctionObject

__all__ = ["Assert", "Print", "print_"]


class Print(FunctionObject):
    """``Print()(*inputs)`` prints each input on lines of its own, tensors with shape and element type.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> ops.Print()("x:", Tensor([1.0, 2.0]))
        x:
        Tensor(shape=[2], dtype=Float32, value= [ 1.00000000e+00,  2.00000000e+00])
    """

    __slots__ = ()

    def __call__(self, *input_x: Any) -> None:
        for each in input_x:
            print(repr(each) if isinstance(each, Tensor) else each)


class Assert(FunctionObject):
    """``Assert(summarize)(condition, input_data)`` raises RuntimeError with the data when the condition is false.

    Args:
        summarize: how many elements of each tensor the message has at most.

    Raises:
        TypeError: `summarize` is no int.
        RuntimeError: when called with a false condition.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> x = Tensor([1.0, 2.0])
        >>> ops.Assert()(x.sum() > 0, [x])
    """

    __slots__ = ("summarize",)

    def __init__(self, summarize: int = 3) -> None:
        if type(summarize) is not int:
            raise TypeError(f"For 'Assert', argument 'summarize' must be an int, but got {summarize!r}.")
        self.summarize = summarize

    def __call__(self, condition: Any, input_data: Any) -> None:
        if not condition:
            shown = [str(each.reshape((-1,))[: self.summarize]) for each in input_data]
            raise RuntimeError(f"For 'Assert', the condition is false. The input data begins with {', '.join(shown)}.")


print_ = Print()
