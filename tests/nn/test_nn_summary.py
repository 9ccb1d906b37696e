"""`nn.summary`: rows, shapes, counts; nothing of the network changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Parameter, Tensor, nn


class Block(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Dense(3, 3)
        self.shared = self.dense
        self.scale = Parameter(Tensor(np.ones(3, np.float32)), name="scale", requires_grad=False)
        self.unused = nn.Dense(2, 5)

    def construct(self, x: Any) -> Any:
        x = self.dense(x)
        self.scale = self.scale * 2
        return self.dense(x) * self.scale, {"sum": x.sum(), "n": 3}


@pytest.mark.parametrize("mode", [ms.GRAPH_MODE, ms.PYNATIVE_MODE])
def test_rows_and_totals(mode: int) -> None:
    ms.set_context(mode=mode)
    net = Block()
    made = nn.summary(net, Tensor(np.ones((4, 3), np.float32)))
    rows = {row.path: row for row in made.layers}
    assert list(rows) == ["", "dense", "unused"]
    assert (rows[""].output, rows[""].parameters, rows[""].trainable) == (((4, 3), {"sum": (), "n": "int"}), 3, 0)
    assert (rows["dense"].output, rows["dense"].calls, rows["dense"].parameters) == ((4, 3), 2, 12)
    assert (rows["unused"].output, rows["unused"].calls, rows["unused"].parameters) == (None, 0, 15)
    assert (made.total, made.trainable, made.nbytes) == (30, 27, 120)
    np.testing.assert_array_equal(net.scale.asnumpy(), np.ones(3))
    assert type(net) is Block
    assert type(net.dense) is nn.Dense
    assert str(made).split("\n") == [
        "Layer      Class  Output                     Parameters",
        "-" * 55,
        "(network)  Block  [4, 3], {sum: [], n: int}           3",
        "dense      Dense  [4, 3] (2 calls)                   12",
        "unused     Dense  not called                         15",
        "-" * 55,
        "Parameters: 30 (120 bytes)",
        "trainable: 27, fixed: 3",
    ]


def test_without_inputs_nothing_is_called() -> None:
    made = nn.summary(nn.SequentialCell([nn.Dense(2, 2), nn.ReLU()]))
    assert [row.calls for row in made.layers] == [0, 0, 0]
    assert "not called" in str(made)


def test_a_network_that_fails_is_as_before() -> None:
    net = nn.SequentialCell([nn.Dense(2, 2), nn.ReLU()])
    with pytest.raises(ValueError, match="MatMul"):
        nn.summary(net, Tensor(np.ones((1, 3), np.float32)))
    assert type(net) is nn.SequentialCell
    assert [type(c) for c in net] == [nn.Dense, nn.ReLU]


def test_only_cells_have_a_summary() -> None:
    with pytest.raises(TypeError, match="'net' must be a Cell, but got int"):
        nn.summary(3)
