"""What an optimizer is to train: Parameters, or groups of them with settings of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mindspore.common.checks import not_negative
from mindspore.common.parameter import Parameter

_KEYS = ("params", "lr", "weight_decay", "order_params", "grad_centralization")


@dataclass(frozen=True, slots=True)
class Trained:
    """One Parameter with its settings.

    Attributes:
        group: number of its group.
        rate: the group's learning rate as given, None for the optimizer's.
        decay: its weight decay.
    """

    parameter: Parameter
    group: int
    rate: Any
    decay: float


def trained(owner: str, parameters: Any, weight_decay: float) -> list[Trained]:
    """The Parameters in the order in which gradients come.

    Without groups, the optimizer's weight decay leaves out Parameters with "beta" or "gamma" in their names, as those of normalisation.

    Raises:
        TypeError: something that is neither a Parameter nor, for all of them, a group.
        ValueError: no Parameters, or an order that does not name them all.
        KeyError: a group without "params" or with a key that is not known.
        RuntimeError: a Parameter that is given twice.
    """
    if isinstance(parameters, Parameter) or not isinstance(parameters, Iterable):
        raise TypeError(
            "For 'Optimizer', 'parameters' must be a list of Parameters, such as net.trainable_params(), but got "
            f"{type(parameters).__name__}."
        )
    listed = list(parameters)
    if not listed:
        raise ValueError("For 'Optimizer', the argument parameters must not be empty.")
    if all(isinstance(each, dict) for each in listed):
        found = _grouped(owner, listed, weight_decay)
    else:
        found = [Trained(p, 0, None, _decay(p, weight_decay)) for p in _checked(listed)]
    seen: set[int] = set()
    for each in found:
        if id(each.parameter) in seen:
            raise RuntimeError(f"For 'Optimizer', the Parameter {each.parameter.name!r} is given twice.")
        seen.add(id(each.parameter))
    return found


def _decay(parameter: Parameter, weight_decay: float) -> float:
    return 0.0 if "beta" in parameter.name or "gamma" in parameter.name else weight_decay


def _checked(listed: list[Any]) -> list[Parameter]:
    wrong = next((p for p in listed if not isinstance(p, Parameter)), None)
    if wrong is not None:
        raise TypeError(
            f"For 'Optimizer', 'parameters' must be Parameters, or all of them groups, but one is {type(wrong).__name__}: {wrong!r}."
        )
    return listed


def _grouped(owner: str, groups: list[Mapping[str, Any]], weight_decay: float) -> list[Trained]:
    found: list[Trained] = []
    order: Any = None
    for number, group in enumerate(groups):
        _check_keys(group)
        if "order_params" in group:
            order = _checked(list(group["order_params"]))
            continue
        given = group.get("weight_decay", weight_decay)
        decay = not_negative(owner, "weight_decay", given)
        found += [Trained(p, number, group.get("lr"), decay) for p in _members(group)]
    return found if order is None else _ordered(found, order)


def _check_keys(group: Mapping[str, Any]) -> None:
    unknown = next((k for k in group if k not in _KEYS), None)
    if unknown is not None:
        raise KeyError(f"For 'Optimizer', the key in group params must be one of {list(_KEYS)}, but got {unknown!r}.")
    if "params" not in group and "order_params" not in group:
        raise KeyError(f"For 'Optimizer', each group must have the key 'params', but one has {list(group)}.")
    if group.get("grad_centralization"):
        raise ValueError("For 'Optimizer', 'grad_centralization' must be False: gradients are not centralized.")


def _members(group: Mapping[str, Any]) -> list[Parameter]:
    members = _checked(list(group["params"]))
    if not members:
        raise ValueError("For 'Optimizer', the argument group `params` must not be empty.")
    return members


def _ordered(found: list[Trained], order: list[Parameter]) -> list[Trained]:
    by_id = {id(each.parameter): each for each in found}
    if len(order) != len(found) or any(id(p) not in by_id for p in order):
        raise ValueError(
            f"For 'Optimizer', 'order_params' must name each Parameter of the groups once: they are "
            f"{[each.parameter.name for each in found]}, but it names {[p.name for p in order]}."
        )
    return [by_id[id(p)] for p in order]
