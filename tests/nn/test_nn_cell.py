"""Cells: attributes, names of parameters, structure, text, copies."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict
from typing import Any

import pytest

import mindspore as ms
from mindspore import Parameter, Tensor, nn

pytestmark = pytest.mark.compiler


class Net(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Dense(3, 4, activation="relu")
        self.seq = nn.SequentialCell(nn.Dense(4, 2), nn.ReLU())
        self.w = Parameter(Tensor([1.0, 2.0]), name="wx")
        self.z = Parameter(Tensor([1.0]), requires_grad=False)
        self.cells_of = nn.CellList([nn.Dense(2, 2)])

    def construct(self, x: Any) -> Any:
        return self.cells_of[0](self.seq(self.dense(x))) * self.w


NAMES = ["wx", "z", "dense.weight", "dense.bias", "seq.0.weight", "seq.0.bias", "cells_of.0.weight", "cells_of.0.bias"]


def test_names_of_parameters() -> None:
    net = Net()
    assert [p.name for p in net.get_parameters()] == NAMES
    assert list(net.parameters_dict()) == NAMES
    assert [n for n, _ in net.parameters_and_names()][:3] == ["w", "z", "dense.weight"]
    assert [p.name for p in net.get_parameters(expand=False)] == ["wx", "z"]
    assert [p.name for p in net.trainable_params()] == [n for n in NAMES if n != "z"]
    assert [p.name for p in net.untrainable_params()] == ["z"]


def test_an_outer_cell_gives_a_prefix_and_wrappers_do_not() -> None:
    class Outer(nn.Cell):
        def __init__(self, net: nn.Cell) -> None:
            super().__init__()
            self.net = net

    outer = Outer(Net())
    names = [p.name for p in outer.get_parameters()]
    assert names[:3] == ["net.w", "net.z", "net.dense.weight"]
    nn.WithLossCell(outer, nn.MSELoss())
    assert [p.name for p in outer.get_parameters()] == names


def test_a_shared_cell_counts_once() -> None:
    shared = nn.Dense(2, 2)
    both = nn.SequentialCell(shared, shared)
    assert len(both.trainable_params()) == 2
    assert [n for n, _ in both.cells_and_names()] == ["", "0"]


def test_structure() -> None:
    net = Net()
    assert list(net.name_cells()) == ["dense", "seq", "cells_of"]
    assert [n for n, _ in net.cells_and_names()] == [
        "", "dense", "dense.activation", "seq", "seq.0", "seq.1", "cells_of", "cells_of.0",
    ]  # fmt: skip
    assert list(net.cells()) == [net.dense, net.seq, net.cells_of]
    net.insert_child_to_cell("extra", nn.ReLU())
    net.insert_param_to_cell("more", Parameter(Tensor([1.0])))
    assert isinstance(net.extra, nn.ReLU)
    assert net.more.name == "more"


def test_text() -> None:
    class Small(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.dense = nn.Dense(3, 4, activation="relu")
            self.seq = nn.SequentialCell(nn.Dense(4, 2, has_bias=False), nn.ReLU())

    assert repr(Small()) == (
        "Small(\n"
        "  (dense): Dense(\n"
        "    input_channels=3, output_channels=4, has_bias=True, activation=ReLU()\n"
        "    (activation): ReLU()\n"
        "  )\n"
        "  (seq): SequentialCell(\n"
        "    (0): Dense(input_channels=4, output_channels=2)\n"
        "    (1): ReLU()\n"
        "  )\n"
        ")"
    )


def test_training_reaches_every_cell() -> None:
    net = Net()
    assert not net.training
    assert net.set_train() is net
    assert all(c.training for _, c in net.cells_and_names())
    net.set_train(False)
    assert not any(c.training for _, c in net.cells_and_names())
    assert net.set_grad().requires_grad


def test_attributes_are_replaced_and_removed() -> None:
    net = Net()
    net.w = Parameter(Tensor([3.0, 4.0]), name="new")
    assert net.w.tolist() == [3.0, 4.0]
    net.dense = None  # type: ignore[assignment]
    assert "dense.weight" not in net.parameters_dict()
    del net.seq
    assert not hasattr(net, "seq")


@pytest.mark.parametrize(
    ("use", "error", "words"),
    [
        (lambda net: net.nope, AttributeError, "'Net' object has no attribute 'nope'"),
        (lambda net: setattr(net, "w", 3), TypeError, "'w' is a Parameter"),
        (lambda net: setattr(net, "w", Tensor([1.0])), ValueError, "shape"),
        (lambda net: net.insert_child_to_cell("dense", nn.ReLU()), KeyError, "dense"),
        (lambda net: net.insert_child_to_cell("d", 3), TypeError, "int"),
        (lambda net: net.insert_param_to_cell("w", net.w), KeyError, "'w'"),
        (lambda net: net.insert_param_to_cell("v", 3), TypeError, "int"),
        (lambda net: nn.Cell()(1), AttributeError, "construct"),
        (lambda net: net(), TypeError, "missing 1 required positional argument"),
        (lambda net: nn.SequentialCell(3), TypeError, "int"),
        (lambda net: nn.CellList([1]), TypeError, "int"),
    ],
)
def test_wrong_use_is_refused(use: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        use(Net())


def test_init_must_come_first() -> None:
    class Hasty(nn.Cell):
        def __init__(self) -> None:
            self.dense = nn.Dense(1, 1)

    with pytest.raises(AttributeError, match="super"):
        Hasty()


def test_containers_behave_like_lists() -> None:
    a, b, c = nn.ReLU(), nn.Tanh(), nn.Sigmoid()
    cells = nn.CellList([a, b])
    assert (len(cells), cells[0], cells[-1], list(cells)) == (2, a, b, [a, b])
    cells.append(c).insert(0, c)
    assert list(cells) == [c, a, b, c]
    del cells[0]
    cells.extend([a])
    cells[0] = b
    assert list(cells) == [b, b, c, a]
    assert list(cells[1:3]) == [b, c]
    assert bool(nn.CellList())
    with pytest.raises(IndexError):
        cells[9]


def test_sequential_cells_by_name() -> None:
    net = nn.SequentialCell(OrderedDict([("first", nn.Dense(1, 1)), ("second", nn.ReLU())]))
    assert net.first is net[0]
    assert isinstance(net[1:], nn.SequentialCell)
    assert [p.name for p in net.get_parameters()] == ["first.weight", "first.bias"]


def test_copies_and_pickles_are_independent(mode: str) -> None:
    net, x = nn.SequentialCell(nn.Dense(2, 2), nn.ReLU()), Tensor([[1.0, 2.0]])
    wanted = net(x).tolist()
    for made in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert made(x).tolist() == wanted
        assert [p.name for p in made.get_parameters()] == [p.name for p in net.get_parameters()]
        made[0].weight.set_data(Tensor([[0.0, 0.0], [0.0, 0.0]]))
    assert net(x).tolist() == wanted


def test_compile_prepares_a_call(graph_mode: None) -> None:
    net = nn.Dense(2, 2)
    net.compile(Tensor([[1.0, 2.0]]))
    assert net(Tensor([[3.0, 4.0]])).shape == (1, 2)


def test_keyword_arguments(mode: str) -> None:
    class Scale(nn.Cell):
        def construct(self, x: Any, scale: float = 2.0, *, shift: float = 0.0) -> Any:
            return x * scale + shift

    assert Scale()(Tensor([1.0])).tolist() == [2.0]
    assert Scale()(Tensor([1.0]), shift=1.0, scale=3.0).tolist() == [4.0]


def test_a_cell_reads_parameters_of_the_moment(mode: str) -> None:
    net = nn.Dense(1, 1, weight_init="ones", has_bias=False)
    assert net(Tensor([[2.0]])).item() == 2.0
    net.weight.set_data(Tensor([[5.0]]))
    assert net(Tensor([[2.0]])).item() == 10.0
    ms.ops.assign(net.weight, Tensor([[6.0]]))
    assert net(Tensor([[2.0]])).item() == 12.0


def test_a_sub_cell_is_replaced_by_a_cell_or_none_only() -> None:
    cell = nn.Cell()
    cell.inner = nn.ReLU()
    with pytest.raises(TypeError, match="'inner' is a sub-cell: expected a Cell or None, but got int"):
        cell.inner = 5
    cell.inner = nn.Tanh()
    assert isinstance(cell.inner, nn.Tanh)
    cell.inner = None
    assert list(cell.name_cells()) == []


def test_cells_that_were_seen_are_left_out() -> None:
    inner, cell = nn.ReLU(), nn.Cell()
    cell.insert_child_to_cell("inner", child_cell=inner)
    assert [name for name, _ in cell.cells_and_names({inner}, "net")] == ["net"]
    assert [name for name, _ in cell.cells_and_names(name_prefix="net")] == ["net", "net.inner"]
