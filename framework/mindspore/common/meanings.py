"""What functions of this room mean when compiled code calls them. Importing this module tells inference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mindspore.base.protocols import RECOMPUTE
from mindspore.common.batching import vmap
from mindspore.common.custom import check_recompute, recompute
from mindspore.common.directional import Pulling, Tangents, jvp, vjp
from mindspore.common.gradients import get_grad, grad, value_and_grad
from mindspore.common.hook_handle import register_hook
from mindspore.common.jacobians import jacfwd, jacrev
from mindspore.common.methods import value
from mindspore.common.mutables import mutable
from mindspore.common.row_tensor import RowTensor, check_rows
from mindspore.common.taylor import expansion
from mindspore.infer.closed import tensor_kind
from mindspore.infer.custom import with_gradient
from mindspore.infer.hooks import register
from mindspore.infer.machine import CallRule, Machine, builtin_calls, dispatchers
from mindspore.infer.objects import instance
from mindspore.infer.result import wrapped
from mindspore.infer.state import tensor
from mindspore.infer.structure import elements, is_sequence, to_python
from mindspore.infer.values import NONE, Abstract, Known, Transformed

Args = tuple[Abstract, ...]
Named = Mapping[str, Abstract]


def _makes_gradient(maker: Callable[..., Any]) -> CallRule:
    """The rule for ``grad(fn, ...)`` in a graph, where `fn` may be a function of the graph itself."""

    def rule(machine: Machine, args: tuple[Abstract, ...], kwargs: Mapping[str, Abstract]) -> Abstract:
        function, rest, named = _function(args, kwargs)
        made = maker(lambda: None, *_settings(machine, rest), **_named(machine, named))
        return Transformed(made.kind, function, made.options())

    return rule


def _function(args: Args, kwargs: Named, name: str = "fn") -> tuple[Abstract, Args, dict[str, Abstract]]:
    """The argument that is a function, and the others."""
    named = dict(kwargs)
    return (args[0], args[1:], named) if args else (named.pop(name), (), named)


def _settings(machine: Machine, values: Args) -> list[Any]:
    return [to_python(machine, v, tensors=True) for v in values]


def _named(machine: Machine, values: Named) -> dict[str, Any]:
    return {k: to_python(machine, v, tensors=True) for k, v in values.items()}


def _jvp(machine: Machine, args: Args, kwargs: Named) -> Abstract:
    function, rest, named = _function(args, kwargs)
    names = ("inputs", "v", "has_aux")
    given = {**dict(zip(names, rest, strict=False)), **named}
    flags = _named(machine, {k: v for k, v in given.items() if k == "has_aux"})
    made = Tangents(lambda: None, **{"has_aux": False, **flags})
    return machine.call(Transformed(made.kind, function, made.options()), (given["inputs"], given["v"]))


def _vjp(machine: Machine, args: Args, kwargs: Named) -> Abstract:
    function, inputs, named = _function(args, kwargs)
    made = Pulling(lambda: None, **{"weights": None, "has_aux": False, **_named(machine, named)})
    return machine.call(Transformed(made.kind, function, made.options()), inputs)


def _get_grad(machine: Machine, args: Args, kwargs: Named) -> Abstract:
    given = {**dict(zip(("gradients", "identifier"), args, strict=False)), **kwargs}
    identifier = to_python(machine, given["identifier"], tensors=True)
    return wrapped(get_grad(_taken_apart(machine, given["gradients"]), identifier))


def _recompute(machine: Machine, args: Args, kwargs: Named) -> Abstract:
    function, given, named = _function(args, kwargs, "block")
    for ignored in ("use_reentrant", "output_recompute", "early_stop"):
        named.pop(ignored, None)
    check_recompute(to_python(machine, named.pop("context_fn", NONE)), {})
    if not machine.gradients:
        return machine.call(function, given, named)
    return with_gradient(machine, function, RECOMPUTE, given, named)


def _register_hook(machine: Machine, args: Args, kwargs: Named) -> Abstract:
    given = {**dict(zip(("self", "hook"), args, strict=False)), **kwargs}
    if "hook" not in given:
        raise TypeError("register_hook takes the function to call with the gradient.")
    return register(machine, given["self"], given["hook"])


def _mutable(machine: Machine, args: Args, kwargs: Named) -> Abstract:
    value, _, _ = _function(args, kwargs, "input_data")
    machine.marked.add(value)
    return value


def _taken_apart(machine: Machine, value: Abstract) -> Any:
    """Tuples of the graph as Python's, over abstract values and Python's numbers and strings."""
    if is_sequence(value):
        return tuple(_taken_apart(machine, e) for e in elements(machine, value))
    return value.value if isinstance(value, Known) and isinstance(value.value, int | str) else value


def _values(machine: Machine, args: Args, kwargs: Named) -> Abstract:
    """``x.value()``: the present version of a Parameter."""
    return tensor(machine, args[0])


builtin_calls[value] = _values


def _row_tensor(machine: Machine, args: Args, kwargs: Named) -> Abstract:
    """``RowTensor(indices, values, shape)`` of tensors of the graph."""
    given = {**dict(zip(("indices", "values", "shape", "row_tensor"), args, strict=False)), **kwargs}
    if "row_tensor" in given:
        return given["row_tensor"]
    indices, values = (tensor(machine, given[name]) for name in ("indices", "values"))
    shape = to_python(machine, given["shape"])
    check_rows(tensor_kind(indices).shape, tensor_kind(values).shape, shape)
    return instance(machine, RowTensor, {"indices": indices, "values": values, "dense_shape": Known(tuple(shape))})


builtin_calls[RowTensor] = _row_tensor


def _taylor(machine: Machine, function: Transformed, args: Args, kwargs: Named) -> Abstract:
    return machine.call(Known(expansion), (function.function, *args, Known(function.options["order"])))


dispatchers["transform taylor"] = _taylor

for _maker in (grad, value_and_grad, jacfwd, jacrev, vmap):
    builtin_calls[_maker] = _makes_gradient(_maker)
builtin_calls[jvp] = _jvp
builtin_calls[vjp] = _vjp
builtin_calls[recompute] = _recompute
builtin_calls[register_hook] = _register_hook
builtin_calls[get_grad] = _get_grad
builtin_calls[mutable] = _mutable
