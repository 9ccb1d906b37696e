"""How lower storeys recognise objects of higher ones without importing them, and tables the higher ones fill.

An object takes part in graphs by carrying one of these attributes:

``__operator__``
    It is one operator: the value is the ``ir.operator.Operator``; ``__operator_attributes__`` (a dict, optional) holds the
    attributes that were fixed when the object was made (``P.MatMul(transpose_a=True)``).
    ``__operator_updates__`` (output index -> input index, optional): outputs that are written back to Parameters; a call then gives
    output 0.
``__graph_assign__``
    True: calling the object with a Parameter and a value writes the Parameter.
``__constexpr__``
    True: the callable is run by Python while compiling, on constants (functions of the graph are handed over as handles).
``__made_in_graph__``
    A method without arguments of classes whose instances may be made while compiling; it is called with the finished instance and
    raises TypeError when this one may not.
``__graph_function__``
    A method without arguments; returns the Python callable whose source is compiled when the object is called in a graph
    (a Cell returns its bound ``construct``, a ``jit`` wrapper the wrapped function).
``__graph_gradient__``
    Beside ``__graph_function__``: a method without arguments that says how the call is differentiated: None for the usual way,
    `RECOMPUTE` when what the call computes is computed again for its gradient, `BackwardHooks`, or the Python callable
    ``(*arguments, result, cotangent) -> gradients``.
``__graph_transform__``
    A method without arguments; returns a `Transform`: the object is a function made from another function.
``__ms_mutable__``
    Of a class: numbers of this class, and those in containers of it, are inputs of compiled calls. The value is the plain class.
``__tensor_type__``
    The value is an ``ir.types.TensorType``: the object is a tensor. ``__is_parameter__`` true marks a Parameter: its value is read and
    written through the graph's state instead of becoming a constant.
``__unseen__``
    True: no compilation depends on the object.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

MUTABLE = "__ms_mutable__"


def record_fields(value: Any) -> tuple[str, ...] | None:
    """The names of the fields of a dataclass, which compiled calls take apart; None for other objects. Cells are called, not read."""
    if not is_dataclass(value) or isinstance(value, type) or hasattr(value, "__graph_function__"):
        return None
    return tuple(f.name for f in fields(value) if hasattr(value, f.name))


def parts_of(given: Any, mutable: bool) -> list[tuple[Any, Any]] | None:
    """The parts, by key, of an argument that compiled calls take apart, in their order; None for one that they take whole.

    ``mutable``: it is, or is held by, what `mutable` marked.
    """
    if (names := record_fields(given)) is not None:
        return [(name, getattr(given, name)) for name in names]
    if isinstance(given, tuple) or type(given) is list or (mutable and isinstance(given, list)):
        return list(enumerate(given))
    if type(given) is dict or (mutable and isinstance(given, dict)):
        return list(given.items())
    return None


@dataclass(frozen=True, slots=True)
class Transform:
    """A function-to-function transformation: ``kind`` names the expander (``grad``), ``options`` its settings."""

    kind: str
    function: Any
    options: Mapping[str, Any] = field(default_factory=dict)


RECOMPUTE = "recompute"
CALL_STYLE = "_call_style"
"""The attribute of an object that is another one whenever ``__graph_function__`` and ``__graph_gradient__`` answer differently: compiled
graphs guard it."""
COMPUTE_TYPE = "_compute_type"
"""The attribute of an object with ``__graph_function__`` that holds the floating type in which calls of it compute, or None. It changes
together with `CALL_STYLE`."""
CONVERTED_FROM = "_converted_from"
"""The attribute of a tensor that stands for a Parameter in another type while a Cell with a compute type runs: the Parameter."""
GRADIENT_HOOKS = "_gradient_hooks"
"""The attribute of a tensor that holds its hooks, a dict of functions from gradient to gradient or None."""


@dataclass(frozen=True, slots=True)
class BackwardHooks:
    """What ``__graph_gradient__`` gives for a call whose gradient is the usual one with functions of the user around it.

    Attributes:
        before: cotangents of the results, a tuple -> the same, replaced or not.
        after: (gradients of the positional arguments, cotangents of the results) -> gradients, replaced or not.
    """

    before: Any
    after: Any


COMPILATIONS = "_compiled"
"""Entries of an object's ``__dict__`` whose names begin like this hold compilations of it, and are no state."""

PUBLIC_NAMES: Mapping[str, str] = {
    "input": "x", "input_x": "x", "logits": "x", "value": "x", "dividend": "x",
    "other": "y", "exponent": "y", "divisor": "y", "mat2": "y",
}  # fmt: skip
"""How MindSpore's functions call the inputs that the declarations call x and y; both may be given by either name."""


def input_names(declared: Sequence[str], attributes: Collection[str], given: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments of an operator, with public names of inputs turned into the declared ones."""
    return {
        PUBLIC_NAMES[k] if k not in declared and k not in attributes and PUBLIC_NAMES.get(k) in declared else k: v
        for k, v in given.items()
    }


tensor_methods: dict[str, Callable[..., Any]] = {}
"""Name -> function of (self, ...): what ``x.name(...)`` means for a tensor, in both modes. Filled by ``common/``."""

tensor_properties: dict[str, Callable[..., Any]] = {}
"""Name -> function of (self): what ``x.name`` means. ``shape``, ``dtype``, ``ndim`` and ``size`` are known to inference."""

tensor_operators: dict[str, Callable[..., Any]] = {}
"""Python operator -> function, used when an operand is a tensor: ``+``, ``@``, ``<``, ``unary -``, ``getitem``, ..."""

tensor_classes: dict[str, type] = {}
"""``Tensor``: the class that ``type(x)`` gives for a tensor of the graph. Filled by ``common/``."""
