"""``Primitive``: an operator as an object, with the attributes that it was made with."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from mindspore.common.eager import documentation, eager_op, is_variadic
from mindspore.ir.operator import REQUIRED, Operator, all_operators
from mindspore.ops.constant import constexpr
from mindspore.ops.function_objects import Annotated

__all__ = ["Primitive", "PrimitiveWithCheck", "PrimitiveWithInfer", "constexpr", "prim_attr_register"]


class _ByName(type):
    """Calling the base class itself gives the operator of a name."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is not Primitive:
            return super().__call__(*args, **kwargs)
        (name,) = (*args, *kwargs.values())
        found = _named(name)
        if found is None:
            raise ValueError(f"For 'Primitive', there is no operator with the name {name!r}.")
        return primitive_class(found, "mindspore.ops.operations")()


class Primitive(Annotated, metaclass=_ByName):
    """Base of the classes in ``ops.operations``; each is made from the declaration of one operator.

    ``P.MatMul(transpose_b=True)`` fixes attributes; a call takes the tensors and the attributes named in the declaration's ``call``.
    ``Primitive("ReLU")`` is the operator of that name.

    Raises:
        ValueError: there is no operator of that name.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.Primitive("ReLU")(Tensor([-1.0, 2.0])))
        [0. 2.]
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


def _named(name: str) -> Operator | None:
    return next((op for op in all_operators() if op.name == name), None)


class PrimitiveWithInfer(Annotated):
    """Base of operators that users write: one of the name of an operator of this library runs it, any other is computed by its
    ``infer_value`` from its arguments.

    Args:
        name: of the operator; for classes whose ``__init__`` is decorated with `prim_attr_register` the name of the class.

    Raises:
        TypeError: when called, for an operator without a kernel whose ``infer_value`` gives None.

    Examples:
        >>> from mindspore import ops
        >>> class Area(ops.PrimitiveWithInfer):
        ...     @ops.prim_attr_register
        ...     def __init__(self, unit=1):
        ...         pass
        ...     def infer_value(self, width, height):
        ...         return width * height * self.unit
        >>> print(Area(2)(3, 4))
        24
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def infer_value(self, *args: Any) -> Any:
        """The result for these arguments; None when it takes a kernel to compute it."""
        return None

    def __call__(self, *args: Any) -> Any:
        value = self.infer_value(*args)
        if value is not None:
            return value
        operator = self.kernel()
        if operator is None:
            raise TypeError(
                f"the operator {self.name!r} has neither a kernel nor an infer_value that gives its result: this library has no "
                "operator of that name. Write it as a function or Cell of existing operators."
            )
        return operator(*args)

    def kernel(self) -> Primitive | None:
        """The operator of this library with the same name and attributes; None when there is none."""
        found = _named(self.name)
        if found is None:
            return None
        noted = self.attrs
        given = {n: noted[n] for n in constructor_attrs(found) if n in noted}
        made: Primitive = primitive_class(found, "mindspore.ops.operations")(**given)
        return made

    kernel.__constexpr__ = True  # type: ignore[attr-defined]

    def __made_in_graph__(self) -> None:
        """Nothing speaks against it: it holds constants only."""

    def __repr__(self) -> str:
        return f"Prim[{self.name}]"


class PrimitiveWithCheck(PrimitiveWithInfer):
    """As `PrimitiveWithInfer`: MindSpore's name for operators that only check what they are given."""


def prim_attr_register(fn: Callable[..., None]) -> Callable[..., None]:
    """A decorator for ``__init__`` of operators that users write: its arguments become attributes of the object.

    Examples:
        >>> from mindspore import ops
        >>> class Scaled(ops.PrimitiveWithInfer):
        ...     @ops.prim_attr_register
        ...     def __init__(self, factor=2):
        ...         self.checked = factor > 0
        >>> Scaled(3).attrs, Scaled(3).name
        ({'factor': 3}, 'Scaled')
    """
    signature = inspect.signature(fn)

    @functools.wraps(fn)
    def register(self: PrimitiveWithInfer, *args: Any, **kwargs: Any) -> None:
        PrimitiveWithInfer.__init__(self, type(self).__name__)
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        for name, value in list(bound.arguments.items())[1:]:
            setattr(self, name, value)
            self.add_prim_attr(name, value)
        fn(self, *args, **kwargs)

    return register


def _hashable(value: Any) -> Any:
    return tuple(_hashable(v) for v in value) if isinstance(value, list) else value


@functools.cache
def primitive_class(op: Operator, module: str) -> type[Primitive]:
    """The class of one operator."""
    body = {
        "__operator__": op,
        "__doc__": f"{documentation(op)}\n\n``{op.name}(...)`` takes {_takes(constructor_attrs(op))}; a call takes {_called(op)}.",
        "__signature__": _signature(op),
        "__module__": module,
        "__slots__": (),
    }
    return _ByName(op.name, (Primitive,), body)  # type: ignore[return-value]


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
