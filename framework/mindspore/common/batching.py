"""``vmap``: a function of one row becomes a function of all rows of a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mindspore import _native
from mindspore.common.builder import EAGER
from mindspore.common.state import assign
from mindspore.common.transformation import Transformation, shared_cache

_KEPT = 8


class RowsFunction(Transformation):
    """A function of batches. It is compiled in both modes; under a tape the batched graph runs operator by operator."""

    kind = "vmap"

    def __init__(self, function: Callable[..., Any], in_axes: Any, out_axes: Any) -> None:
        self.in_axes, self.out_axes = _axes("in_axes", in_axes), _axes("out_axes", out_axes)
        super().__init__(function, (self.in_axes, self.out_axes))
        self.interpreted = shared_cache(function, ("interpreted vmap", self.in_axes, self.out_axes), None)

    def options(self) -> dict[str, Any]:
        return {"in_axes": self.in_axes, "out_axes": self.out_axes}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if _native.get_tape() is None:
            return self.cache.run(self, args, kwargs)
        return self.eagerly(args, kwargs)

    def eagerly(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        value, updates = self._graph(args, kwargs).run(args, kwargs, EAGER)
        for target, new in updates:
            assign(target, new)
        return value

    def _graph(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """The batched graph for the types of these arguments, made once."""
        import mindspore.common.meanings  # noqa: F401 -- tells inference what functions of this room mean in graphs
        from mindspore.compiler.pipeline import interpreted_call

        known = self.interpreted.entries.setdefault(_native.signature((args, dict(kwargs))), [])
        for each in known:
            if each.guards.check():
                return each
        made = interpreted_call(self, args, kwargs)
        known.insert(0, made)
        del known[_KEPT:]
        return made


def _axes(name: str, given: Any) -> Any:
    """Axes as nested tuples of int and None. RuntimeError for anything else, and for rows nowhere."""
    found = _nested(name, given)
    if found is None:
        raise RuntimeError(f"The '{name}' of 'vmap' cannot be a single None while 'fn' is not a 'CellList'.")
    if name == "in_axes" and not _any_axis(found):
        raise RuntimeError(
            f"The 'in_axes' of 'vmap' cannot be all None while 'fn' is not a 'CellList', but got {given}."
        )
    return found


def _nested(name: str, given: Any) -> Any:
    if isinstance(given, tuple | list):
        return tuple(_nested(name, g) for g in given)
    if given is not None and (isinstance(given, bool) or not isinstance(given, int)):
        raise RuntimeError(
            f"The axis in vmap`s '{name}' can only be of type Int or None, but got {type(given).__name__} {given!r}."
        )
    return given


def _any_axis(axes: Any) -> bool:
    return any(map(_any_axis, axes)) if isinstance(axes, tuple) else axes is not None


def vmap(fn: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0) -> Callable[..., Any]:
    """A function that applies `fn` to each row of its arguments at once.

    Args:
        fn: a function or Cell of one row. It is compiled in both modes. Branches and loops whose conditions differ from row to row
            run until every row has its result.
        in_axes: the axis of each argument along which the rows lie: an int for all arguments, or a tuple with an int, None (the
            argument is the same for all rows) or, for a tuple of tensors, a tuple for each.
        out_axes: where the rows go in the results: an int for all, or a tuple; None for a result that is the same for all rows.

    Returns:
        A function of tensors that have one more dimension than those of `fn`.

    Raises:
        RuntimeError: axes that are no ints, out of range, or do not fit the arguments; arguments with different numbers of rows.
        TypeError: `fn` is not callable.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import Tensor
        >>> rows = ms.vmap(lambda x, y: (x * y).sum(), in_axes=(0, None))
        >>> print(rows(Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([1.0, 10.0])))
        [21. 43.]
    """
    if not callable(fn):
        raise TypeError(f"'vmap' needs a function or Cell as 'fn', but got {type(fn).__name__}.")
    return RowsFunction(fn, in_axes, out_axes)
