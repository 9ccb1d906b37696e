"""``Primitive``: an operator as an object, with the attributes that it was made with."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from mindspore.common.eager import documentation, eager_op, is_variadic
from mindspore.ir.operator import REQUIRED, Operator
from mindspore.ops.constant import constexpr

__all__ = ["Primitive", "constexpr"]


class Primitive:
    """Base of the classes in ``ops.operations``; each is made from the declaration of one operator.

    ``P.MatMul(transpose_b=True)`` fixes attributes; a call takes the tensors and the attributes named in the declaration's ``call``.
    """

    __operator__: Operator
    __slots__ = ("__operator_attributes__",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        bound = inspect.signature(type(self)).bind(*args, **kwargs)
        bound.apply_defaults()
        self.__operator_attributes__: Mapping[str, Any] = {k: _hashable(v) for k, v in bound.arguments.items()}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return eager_op(self.__operator__)(*args, **kwargs, **self.__operator_attributes__)

    @property
    def name(self) -> str:
        """The operator's name."""
        return self.__operator__.name

    def __made_in_graph__(self) -> None:
        """Nothing speaks against it: an operator holds constants only."""

    def __getattr__(self, name: str) -> Any:
        fixed = object.__getattribute__(self, "__operator_attributes__")
        if name in fixed:
            return fixed[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'.")

    def __repr__(self) -> str:
        fixed = ", ".join(f"{k}={v}" for k, v in self.__operator_attributes__.items())
        return f"Prim[{self.name}]<{fixed}>" if fixed else f"Prim[{self.name}]"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.__operator_attributes__ == self.__operator_attributes__

    def __hash__(self) -> int:
        return hash((self.name, tuple(self.__operator_attributes__.items())))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(self.__operator_attributes__.values())


def _hashable(value: Any) -> Any:
    return tuple(_hashable(v) for v in value) if isinstance(value, list) else value


def primitive_class(op: Operator, module: str) -> type[Primitive]:
    """The class of one operator."""
    body = {
        "__operator__": op,
        "__doc__": f"{documentation(op)}\n\n``{op.name}(...)`` takes {_takes(constructor_attrs(op))}; a call takes {_called(op)}.",
        "__signature__": _signature(op),
        "__module__": module,
        "__slots__": (),
    }
    return type(op.name, (Primitive,), body)


def constructor_attrs(op: Operator) -> dict[str, Any]:
    """Attributes that are fixed when the object is made: those that a call does not take."""
    return {name: default for name, default in op.attrs.items() if name not in op.call}


def _signature(op: Operator) -> inspect.Signature:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    attrs = constructor_attrs(op)
    ordered = sorted(attrs, key=lambda a: attrs[a] is not REQUIRED)
    empty = inspect.Parameter.empty
    return inspect.Signature(
        [inspect.Parameter(a, kind, default=empty if attrs[a] is REQUIRED else attrs[a]) for a in ordered]
    )


def _takes(attrs: Mapping[str, Any]) -> str:
    return ", ".join(attrs) or "nothing"


def _called(op: Operator) -> str:
    if is_variadic(op):
        return "one tuple or list of tensors"
    return ", ".join(op.call or op.inputs) or "nothing"
