"""copy.copy and copy.deepcopy in compiled functions mean what they mean in Python."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Parameter, Tensor, nn

pytestmark = pytest.mark.compiler


@dataclass
class Point:
    x: Any
    trail: Any


def copied(x: Any) -> Any:
    inner = [x, 1]
    shallow, deep = copy.copy([inner, 2]), copy.deepcopy({"a": inner, "t": (inner,)})
    inner[1] = 5
    point = Point(x, inner)
    other, far = copy.copy(point), copy.deepcopy(point)
    point.x = x * 3
    inner.append(7)
    return shallow, deep, other.x, other.trail, far.trail, copy.deepcopy([1, [2]])


def plain(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.tolist()
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    return {k: plain(v) for k, v in value.items()} if isinstance(value, dict) else value


def test_copies_are_pythons() -> None:
    x = Tensor([1.0, 2.0])
    found: Any = ms.jit(copied)(x)
    assert plain(found) == plain(copied(x))
    assert plain(found[0]) == [[[1.0, 2.0], 5, 7], 2]


def test_a_copy_of_a_parameter_is_its_value() -> None:
    w = Parameter(Tensor(np.ones(2, np.float32)), name="w")

    def before() -> Any:
        kept = copy.copy(w)
        ms.ops.assign(w, w + 1)
        return kept * 2

    assert ms.jit(before)().tolist() == [2.0, 2.0]
    assert w.tolist() == [2.0, 2.0]


def test_what_has_no_copy_is_refused_with_its_place() -> None:
    net = nn.ReLU()
    with pytest.raises(TypeError, match=r"line \d+, column \d+[^$]*copy it outside"):
        ms.jit(lambda x: copy.deepcopy(net)(x))(Tensor([1.0]))
