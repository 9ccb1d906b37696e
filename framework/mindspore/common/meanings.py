"""What functions of this room mean when compiled code calls them. Importing this module tells inference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mindspore.common.gradients import grad, value_and_grad
from mindspore.common.methods import value
from mindspore.infer.machine import CallRule, Machine, builtin_calls
from mindspore.infer.state import tensor
from mindspore.infer.structure import to_python
from mindspore.infer.values import Abstract, Transformed


def _makes_gradient(maker: Callable[..., Any]) -> CallRule:
    """The rule for ``grad(fn, ...)`` in a graph, where `fn` may be a function of the graph itself."""

    def rule(machine: Machine, args: tuple[Abstract, ...], kwargs: Mapping[str, Abstract]) -> Abstract:
        named = dict(kwargs)
        function, rest = (args[0], args[1:]) if args else (named.pop("fn"), ())
        positional = [to_python(machine, a, tensors=True) for a in rest]
        by_name = {k: to_python(machine, v, tensors=True) for k, v in named.items()}
        made = maker(lambda: None, *positional, **by_name)
        return Transformed("grad", function, made.options())

    return rule


def _values(machine: Machine, args: tuple[Abstract, ...], kwargs: Mapping[str, Abstract]) -> Abstract:
    """``x.value()``: the present version of a Parameter."""
    return tensor(machine, args[0])


builtin_calls[value] = _values
for _maker in (grad, value_and_grad):
    builtin_calls[_maker] = _makes_gradient(_maker)
