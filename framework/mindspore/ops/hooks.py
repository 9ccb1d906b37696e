"""Primitives that are the identity but for their gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mindspore import _native
from mindspore.common.custom import with_bprop
from mindspore.common.hook_handle import checked_hook

__all__ = ["HookBackward", "InsertGradientOf"]


class _Identity:
    """Hands its argument on; `_gradient` says what becomes of the cotangent."""

    def __call__(self, x: Any) -> Any:
        return self._same(x) if _native.get_tape() is None else with_bprop(self._same, self._gradient, (x,))

    def __graph_function__(self) -> Any:
        return self._same

    def __graph_gradient__(self) -> Any:
        return self._gradient

    def __made_in_graph__(self) -> None:
        """Nothing speaks against it: these objects hold functions only."""

    def _same(self, x: Any) -> Any:
        return x

    def _gradient(self, x: Any, out: Any, dout: Any) -> Any:
        return dout


class InsertGradientOf(_Identity):
    """The identity, whose gradient goes through a function.

    Args:
        f: from the gradient of the output to that of the input.

    Raises:
        TypeError: `f` is not callable.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import Tensor, ops
        >>> clip = ops.InsertGradientOf(lambda d: ops.clamp(d, -1.0, 1.0))
        >>> print(ms.grad(lambda x: clip(x) * 10)(Tensor(3.0)))
        1.0
    """

    def __init__(self, f: Callable[[Any], Any]) -> None:
        checked_hook(f)
        self.f = f

    def _gradient(self, x: Any, out: Any, dout: Any) -> Any:
        return (self.f(dout),)


class HookBackward(_Identity):
    """The identity, whose gradient a function sees and may replace, in both modes.

    Args:
        hook_fn: takes a tuple with the gradient; returns another gradient, alone or in a tuple, or None.
        cell_id: kept for MindSpore's signature.

    Raises:
        TypeError: `hook_fn` is not callable, `cell_id` no str.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import Tensor, ops
        >>> doubled = ops.HookBackward(lambda gradients: gradients[0] * 2)
        >>> print(ms.grad(lambda x: doubled(x) * 10)(Tensor(3.0)))
        20.0
    """

    def __init__(self, hook_fn: Callable[[Any], Any], cell_id: str = "") -> None:
        checked_hook(hook_fn)
        if not isinstance(cell_id, str):
            raise TypeError(f"For 'HookBackward', the 'cell_id' must be a str, but got {type(cell_id).__name__}.")
        self.hook_fn = hook_fn
        self.cell_id = cell_id

    def _gradient(self, x: Any, out: Any, dout: Any) -> Any:
        result = self.hook_fn((dout,))
        if isinstance(result, tuple) and len(result) == 1:
            return result
        return (dout,) if result is None else (result,)
