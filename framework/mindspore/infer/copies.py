"""``copy.copy`` and ``copy.deepcopy`` of values of the graph. Tensors are values: a copy of one is the tensor itself."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np

from mindspore.infer.iteration import means
from mindspore.infer.machine import Machine, tensor_type
from mindspore.infer.state import tensor
from mindspore.infer.structure import describe, fresh, make_dict, make_list, make_tuple, to_python
from mindspore.infer.values import Abstract, Dict, Instance, Known, List, Sequence

_VALUES = (
    bool, int, float, complex, str, bytes, type(None), tuple, list, dict, set, frozenset, range, slice, np.ndarray, np.generic,
)  # fmt: skip


@means(copy.copy)
def copy_(machine: Machine, args: tuple[Abstract, ...], kwargs: Mapping[str, Abstract]) -> Abstract:
    (value,) = args
    return _copied(machine, value, deep=False)


@means(copy.deepcopy)
def deepcopy_(machine: Machine, args: tuple[Abstract, ...], kwargs: Mapping[str, Abstract]) -> Abstract:
    (value,) = args
    return _copied(machine, value, deep=True)


def _copied(machine: Machine, value: Abstract, deep: bool) -> Abstract:
    def part(each: Abstract) -> Abstract:
        return _copied(machine, each, deep) if deep else each

    if tensor_type(value) is not None:
        return tensor(machine, value)
    if isinstance(value, List):
        return make_list(machine, map(part, machine.heap.get(value)))
    if isinstance(value, Dict):
        return make_dict(machine, {k: part(v) for k, v in machine.heap.get(value).items()}, value)
    if isinstance(value, Sequence):
        return make_tuple(map(part, value.elements), value.cls)
    if isinstance(value, Instance):
        made = Instance(value.cls)
        machine.heap.set(made, {k: part(v) for k, v in machine.heap.get(value).items()})
        return made
    if isinstance(value, Known) and isinstance(value.value, _VALUES):
        return fresh(machine, (copy.deepcopy if deep else copy.copy)(to_python(machine, value)))
    raise TypeError(
        f"copy takes tensors, numbers, strings, containers and objects made in the graph, but got {describe(value)}: copy it outside."
    )
