"""``mutable``: Python numbers and containers of them as inputs of compiled calls instead of constants."""

from __future__ import annotations

from typing import Any

from mindspore.common.tensor_class import Tensor

__all__ = ["mutable"]


class _Bool(int):
    __ms_mutable__ = bool

    def __repr__(self) -> str:
        return repr(bool(self))


class _Int(int):
    __ms_mutable__ = int


class _Float(float):
    __ms_mutable__ = float


class _Tuple(tuple[Any, ...]):
    __slots__ = ()
    __ms_mutable__ = tuple


class _List(list[Any]):
    __ms_mutable__ = list


class _Dict(dict[Any, Any]):
    __ms_mutable__ = dict


_CLASSES: dict[type, Any] = {bool: _Bool, int: _Int, float: _Float, tuple: _Tuple, list: _List, dict: _Dict}


def mutable(input_data: Any, dynamic_len: bool = False) -> Any:
    """Marks an argument of a compiled function: its numbers are inputs of the graph, so that other values need no new compilation.

    Args:
        input_data: a bool, int, float or Tensor, or a tuple, list or dict of these.
        dynamic_len: for a tuple or list: also its length may change. Another length is compiled anew.

    Returns:
        A value equal to `input_data`, of a class that compiled functions recognise; a Tensor itself. In the compiled function the
        numbers are 0-d Tensors: int64, float32 or bool.

    Raises:
        TypeError: `input_data` is of another kind, or `dynamic_len` is asked for a value without a length.

    Examples:
        >>> import mindspore as ms
        >>> @ms.jit
        ... def scaled(x, k):
        ...     return x * k
        >>> print(scaled(ms.Tensor([1.0, 2.0]), ms.mutable(3.0)))
        [3. 6.]
    """
    _check(input_data, input_data, set())
    if dynamic_len and not isinstance(input_data, tuple | list):
        raise TypeError(
            "For 'mutable', when the variable_len is True, the first input should be list or tuple, but got: "
            f"{type(input_data).__name__}"
        )
    if isinstance(input_data, Tensor) or hasattr(input_data, "__ms_mutable__"):
        return input_data
    return next(made for cls, made in _CLASSES.items() if isinstance(input_data, cls))(input_data)


def _check(value: Any, whole: Any, inside: set[int]) -> None:
    fits = isinstance(value, bool | int | float | Tensor | tuple | list | dict) and id(value) not in inside
    if not fits:
        raise TypeError(
            "For 'mutable', the 'input_data' should be one of (bool, int, float, Tensor, tuple, list, dict) or their nested structures "
            f"with no self-reference, but got {type(whole).__name__}: {whole}."
        )
    if isinstance(value, tuple | list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            _check(each, whole, inside | {id(value)})
