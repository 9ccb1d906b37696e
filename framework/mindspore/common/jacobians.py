"""``jacfwd`` and ``jacrev``: all derivatives of all results, by forward or by reverse mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.shapes import size
from mindspore.common.builder import EAGER
from mindspore.common.checks import boolean
from mindspore.common.directional import auxiliary, checked_function
from mindspore.common.gradients import positions_of
from mindspore.common.tape import Recording, mapped, pushed, recorded, tensors
from mindspore.common.tensor_class import Tensor
from mindspore.common.transformation import Transformation


class JacobianFunction(Transformation):
    """A function that returns Jacobians of another one."""

    kind = "jacobian"

    def __init__(self, function: Callable[..., Any], position: Any, has_aux: bool, forward: bool) -> None:
        checked_function(function)
        name = "jacfwd" if forward else "jacrev"
        if position is None:
            raise TypeError(f"For '{name}', the 'grad_position' must be int or tuple of int, but got None.")
        self.positions = positions_of(position)
        self.has_aux = boolean(name, "has_aux", has_aux)
        self.forward = forward
        super().__init__(function, (self.positions, has_aux, forward))

    def options(self) -> dict[str, Any]:
        return {"positions": self.positions, "has_aux": self.has_aux, "forward": self.forward}

    def eagerly(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        run = recorded(self.function, args, kwargs, self.positions, (), self.has_aux)
        head, *aux = run.value if self.has_aux else (run.value,)
        for each in (*run.sources, *tensors(head)):
            if each.dtype.kind not in "fc":
                raise TypeError(
                    f"a Jacobian is of floating numbers, but the arguments or results have one of type {each.__tensor_type__}."
                )
        blocks = (_by_columns if self.forward else _by_rows)(run)
        found = iter([row[0] if len(row) == 1 else tuple(row) for row in blocks])
        jacobian = mapped(lambda each: next(found) if isinstance(each, Tensor) else each, head)
        return (jacobian, *auxiliary(aux)) if self.has_aux else jacobian


def _by_rows(run: Recording) -> list[list[Any]]:
    """Blocks by output and source; one walk back for each element of the outputs."""
    rows = []
    for position, output in enumerate(run.outputs):
        gradients = [run.pull(seeds) for seeds in _basis(run.outputs, position)]
        parts = zip(*gradients, strict=True) if gradients else [()] * len(run.sources)
        rows.append([_joined(p, output, s, 0) for p, s in zip(parts, run.sources, strict=True)])
    return rows


def _by_columns(run: Recording) -> list[list[Any]]:
    """The same, one derivative in a direction for each element of the sources."""
    move = pushed(run)
    columns = []
    for position, source in enumerate(run.sources):
        tangents = [move(directions) for directions in _basis(run.sources, position)]
        parts = zip(*tangents, strict=True) if tangents else [()] * len(run.outputs)
        columns.append([_joined(p, o, source, -1) for p, o in zip(parts, run.outputs, strict=True)])
    return [[column[k] for column in columns] for k in range(len(run.outputs))]


def _basis(like: Sequence[Any], position: int) -> list[list[Any]]:
    """Zeros like all tensors but for a one in each element of that at `position` in turn."""
    kind = like[position].__tensor_type__
    rest = [EAGER.zeros_like(t) for t in like]
    vectors = np.eye(size(kind.shape)).astype(dt.to_numpy(kind.dtype)).reshape(-1, *kind.shape)
    return [[*rest[:position], Tensor(v), *rest[position + 1 :]] for v in vectors]


def _joined(parts: Sequence[Any], output: Any, source: Any, axis: int) -> Any:
    shape = (*output.shape, *source.shape)
    if not parts:
        return EAGER.full(shape=shape, value=0, dtype=output.dtype)
    return EAGER.reshape(EAGER.stack(*parts, axis=axis), shape=shape)


def jacfwd(
    fn: Callable[..., Any], grad_position: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function with the arguments of `fn` that returns its Jacobian, by forward mode: right for more results than arguments.

    Args:
        fn: a function, Cell or jit function.
        grad_position: which arguments to differentiate for; a tuple of several gives a tuple of Jacobians.
        has_aux: only the first result of `fn` is differentiated; the others come back as they are.

    Returns:
        ``fn's arguments -> Jacobian``: for each result a tensor of the shape of the result and then of the argument. With `has_aux`
        ``(Jacobian, aux)``: one auxiliary result as it is, several as a tuple.

    Raises:
        TypeError: `fn` is not callable, a position is no int; when called, an argument or result is not floating.
        ValueError: positions that are negative or named twice.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import Tensor
        >>> print(ms.jacfwd(lambda x: x * x)(Tensor([1.0, 2.0])))
        [[2. 0.]
         [0. 4.]]
    """
    return JacobianFunction(fn, grad_position, has_aux, forward=True)


def jacrev(
    fn: Callable[..., Any], grad_position: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function with the arguments of `fn` that returns its Jacobian, by reverse mode: right for more arguments than results.

    Args:
        fn: a function, Cell or jit function.
        grad_position: which arguments to differentiate for; a tuple of several gives a tuple of Jacobians.
        has_aux: only the first result of `fn` is differentiated; the others come back as they are.

    Returns:
        As `jacfwd`.

    Raises:
        TypeError: `fn` is not callable, a position is no int; when called, an argument or result is not floating.
        ValueError: positions that are negative or named twice.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import Tensor
        >>> print(ms.jacfwd(ms.jacrev(lambda x: (x * x * x).sum()))(Tensor([1.0, 2.0])))
        [[ 6.  0.]
         [ 0. 12.]]
    """
    return JacobianFunction(fn, grad_position, has_aux, forward=False)
