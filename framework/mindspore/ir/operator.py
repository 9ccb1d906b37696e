"""What an operator is: one frozen record that holds all its facts. ``primitives/`` declares them, everything else reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class NotDifferentiable:
    """Stands in the place of a gradient rule; differentiating through the operator gives zeros or, if ``error``, a TypeError."""

    why: str
    error: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Operator:
    """One operator. Compared and hashed by identity; found by ``name`` or ``function`` in the registry.

    Attributes:
        name: MindSpore's primitive class name, ``MatMul``.
        function: the snake_case name by which builders and public functions call it, ``matmul``.
        inputs: names of the tensor inputs in order; one name with a leading ``*`` takes any number.
        attrs: attribute names with their defaults (`REQUIRED` where there is none).
        infer: ``(*input_types, **attrs) -> Type``; raises TypeError/ValueError that name operator, argument, expected, got.
        reference: ``(*numpy_arrays, **attrs) -> array or tuple``: the meaning.
        gradient: ``(b, *inputs, out, d, **attrs) -> tuple of gradients (None = zero)``, or `NotDifferentiable`; None for a composite
            whose gradient is that of its expansion. For an operator with several outputs `out` and `d` are Python tuples, and an
            entry of `d` may be None (zero).
        compute: a `primitives.compute` record that says how kernels compute it; or
        expand: ``(b, *inputs, **attrs) -> result`` written with other operators (``b.tuple`` for several results). Exactly one of
            the two is set.
        promote: how mixed inputs are brought to one type before `infer`: ``same`` (MindSpore's implicit promotion of all inputs),
            ``float`` (the same, then integers become float32), ``rest`` (all but the first), or None (as they are).
        dtypes: element types the first input may have.
        vmap: ``(b, size, inputs, rows, out, **attrs) -> result``: the operator for each of `size` rows, which are the first dimension of
            the `inputs` with a true entry in `rows`, and of the result; `out` is the type for one row. None where the rule of the
            compute kind, or of the expansion, applies.
        sharding: rule of a later transformation.
        may_fail: it refuses some values of its inputs when it runs (an index out of bounds), so it must not run where the program does
            not reach it.
        effect: ``""`` pure, ``"io"`` ordered effect, ``"random"`` advances the random state.
        samples: a `primitives.samples.Samples`: the inputs and attributes with which the tests try the operator.
        call: names of inputs and attributes in the order in which an object of the primitive's class takes them when it is called
            (``P.Reshape()(x, shape)``); what is not listed is given to the class itself. Empty: the inputs.
    """

    name: str
    function: str
    inputs: tuple[str, ...]
    infer: Callable[..., Any]
    reference: Callable[..., Any]
    gradient: Callable[..., Any] | NotDifferentiable | None
    attrs: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    compute: Any = None
    expand: Callable[..., Any] | None = None
    promote: str | None = None
    dtypes: tuple[Any, ...] = ()
    vmap: Any = None
    sharding: Any = None
    effect: str = ""
    may_fail: bool = False
    samples: Any = None
    doc: str = ""
    call: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<operator {self.name}>"

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return find, (self.name,)


REQUIRED = type("Required", (), {"__repr__": lambda self: "REQUIRED", "__slots__": ()})()
_by_name: dict[str, Operator] = {}
_by_function: dict[str, Operator] = {}


def register(operator: Operator) -> Operator:
    """Add to the registry; ValueError when the name or function is taken or the declaration contradicts itself."""
    if operator.name in _by_name or operator.function in _by_function:
        raise ValueError(f"operator {operator.name} ({operator.function}) is declared twice")
    if (operator.compute is None) == (operator.expand is None):
        raise ValueError(f"operator {operator.name} must have exactly one of compute and expand")
    _by_name[operator.name] = operator
    _by_function[operator.function] = operator
    return operator


def find(name: str) -> Operator:
    """The operator with this primitive name or function name; KeyError when nothing declares it."""
    found = _by_name.get(name) or _by_function.get(name)
    if found is None:
        raise KeyError(f"no operator is called {name!r}; operators are declared in mindspore/primitives")
    return found


def all_operators() -> tuple[Operator, ...]:
    return tuple(_by_name.values())
