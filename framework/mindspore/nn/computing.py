"""In which floating type a Cell computes: `Cell.to_float`, and flags of Cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Self

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.protocols import COMPUTE_TYPE, CONVERTED_FROM
from mindspore.common import functions as f
from mindspore.common.parameter import Parameter
from mindspore.common.tensor import Tensor
from mindspore.nn.hooks import HookedCalls

if TYPE_CHECKING:
    from mindspore.nn.cell import Cell

_TYPES: Mapping[str, DType] = {"fp16": dt.float16, "fp32": dt.float32, "bf16": dt.bfloat16}


class ConvertedCalls(HookedCalls):
    """What `nn.Cell` knows about the type in which it computes."""

    cells: Callable[[], Iterator[Cell]]
    cells_and_names: Callable[[], Iterator[tuple[str, Cell]]]

    def to_float(self, dst_type: DType) -> Self:
        """Has this Cell and those below it compute in a floating type.

        Floating inputs of a call, and the floating Parameters and tensors that the Cell holds, are converted to it; Parameters keep
        their own type and take values that are assigned to them. A later call for a Cell below gives that one a type of its own.

        Args:
            dst_type: ``mindspore.float32``, ``mindspore.float16`` or ``mindspore.bfloat16``.

        Returns:
            The Cell itself.

        Raises:
            ValueError: another type.

        Examples:
            >>> import mindspore as ms
            >>> from mindspore import Tensor, nn
            >>> net = nn.Dense(2, 1).to_float(ms.float16)
            >>> print(net(Tensor([[1.0, 2.0]])).dtype, net.weight.dtype)
            Float16 Float32
        """
        if dst_type not in _TYPES.values():
            raise ValueError(
                "For 'to_float', the argument 'dst_type' must be mindspore.float32, mindspore.float16 or mindspore.bfloat16, "
                f"but got {dst_type!r}."
            )
        return self.add_flags_recursive(**{name: kind is dst_type for name, kind in _TYPES.items()})

    def add_flags(self, **flags: Any) -> Self:
        """Sets attributes of this Cell. The flags fp16, fp32 and bf16 say in which type it computes, as `to_float` does.

        Examples:
            >>> from mindspore import nn
            >>> net = nn.ReLU().add_flags(has_effect=True)
            >>> net.has_effect, net.get_flags()
            (True, {'has_effect': True})
        """
        own = self.__dict__
        own["_flags"] = own.get("_flags", {}) | flags
        own.update(flags)
        chosen = [kind for name, kind in _TYPES.items() if flags.get(name)]
        if chosen or not flags.keys().isdisjoint(_TYPES):
            own[COMPUTE_TYPE] = chosen[0] if chosen else None
            self._restyled()
        return self

    def add_flags_recursive(self, **flags: Any) -> Self:
        """`add_flags` for this Cell and all below it."""
        for _, cell in self.cells_and_names():
            cell.add_flags(**flags)
        return self

    def get_flags(self) -> dict[str, Any]:
        """The flags of this Cell."""
        return dict(self.__dict__.get("_flags", {}))

    def __graph_function__(self) -> Any:
        plain = super().__graph_function__()
        return plain if self.__dict__.get(COMPUTE_TYPE) is None else self._converted_call

    def _converted_call(self, *args: Any, **kwargs: Any) -> Any:
        kind = self._compute_type  # type: ignore[attr-defined]
        given = [converted(each, kind) for each in args]
        named = {name: converted(each, kind) for name, each in kwargs.items()}
        return self._hooked_construct(*given, **named)


def converted(given: Any, kind: DType) -> Any:
    """`given` with floating tensors, also those in tuples, lists and dicts, as `kind`."""
    if isinstance(given, Parameter):
        return stand_in(given, kind)
    if isinstance(given, Tensor):
        return f.cast(given, kind) if given.dtype.is_floating else given
    if type(given) is tuple:
        return tuple([converted(each, kind) for each in given])
    if type(given) is list:
        return [converted(each, kind) for each in given]
    if type(given) is dict:
        return {name: converted(each, kind) for name, each in given.items()}
    return given


def stand_in(tensor: Any, kind: DType) -> Any:
    """A tensor in the place of a Parameter or of another stand-in: its values as `kind`; what is assigned to it the Parameter takes too."""
    source = getattr(tensor, CONVERTED_FROM, tensor)
    if tensor.dtype is kind or not tensor.dtype.is_floating:
        return tensor
    if source.dtype is kind:
        return source
    made = f.cast(source, kind)
    if isinstance(source, Parameter):
        setattr(made, CONVERTED_FROM, source)
    return made


def is_held(value: Any) -> bool:
    """Whether an attribute with this value holds a Parameter, which takes what is assigned to it."""
    return isinstance(value, Parameter) or hasattr(value, CONVERTED_FROM)


def _read_as_computed(tensor: Any, kind: DType) -> Any:
    return tensor


stand_in.__graph_function__ = lambda: _read_as_computed  # type: ignore[attr-defined]
"""Graphs convert each Parameter where it is read."""


_kind: ContextVar[DType | None] = ContextVar("kind", default=None)
"""The type in which the Cells that run compute."""


@contextmanager
def stand_ins(cell: Cell, kind: DType, anew: bool = False) -> Iterator[None]:
    """While it lasts, attributes of `cell` and of those below it that are floating tensors are ones of type `kind`.

    Args:
        anew: whether also those that have the type already through a Cell above are made from their Parameters.
    """
    changed: list[tuple[dict[str, Any], str, Any, Any]] = []
    for _, each in cell.cells_and_names():
        own = each.__dict__
        for name, value in own.items():
            if isinstance(value, Tensor):
                made = stand_in(getattr(value, CONVERTED_FROM, value) if anew else value, kind)
                if made is not value:
                    changed.append((own, name, value, made))
    for own, name, _, made in changed:
        own[name] = made
    outer = _kind.set(kind)
    try:
        yield
    finally:
        _kind.reset(outer)
        for own, name, value, made in reversed(changed):
            if own.get(name) is made:
                own[name] = value


def in_its_type(cell: Cell, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` of `cell`, to be run now and again for its gradient: each time with stand-ins of its own, in the type of now."""
    kind = _kind.get()
    if kind is None:
        return function

    def call(*args: Any, **kwargs: Any) -> Any:
        with stand_ins(cell, kind, anew=True):
            return function(*args, **kwargs)

    return call
