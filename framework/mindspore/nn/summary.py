"""``nn.summary``: the layers of a network with the shapes that they give and the Parameters that they have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mindspore.common.tensor import Tensor
from mindspore.nn.cell import Cell

__all__ = ["LayerSummary", "Summary", "summary"]

_HEAD = ("Layer", "Class", "Output", "Parameters")


@dataclass(frozen=True)
class LayerSummary:
    """One Cell of a network.

    Attributes:
        path: the attributes that lead to it; empty for the network itself.
        cls_name: its class.
        output: the shapes of what its first call gave, as nested tuples; None when it was not called.
        calls: how often it was called.
        parameters: the elements of its own Parameters, without those of the Cells below it; each Parameter is counted once.
        trainable: how many of these are trained.
    """

    path: str
    cls_name: str
    output: Any
    calls: int
    parameters: int
    trainable: int


@dataclass(frozen=True)
class Summary:
    """The rows of a table, in the order of the Cells; ``str`` gives the table.

    Attributes:
        layers: one row for each Cell, outer ones first.
        total, trainable: elements of all Parameters, and of those that are trained.
        nbytes: memory of all Parameters.
    """

    layers: tuple[LayerSummary, ...]
    total: int
    trainable: int
    nbytes: int

    def __str__(self) -> str:
        rows = [_HEAD, *map(_row, self.layers)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
        lines = ["  ".join([*map(str.ljust, row[:-1], widths), row[-1].rjust(widths[-1])]).rstrip() for row in rows]
        ruler = "-" * max(map(len, lines))
        totals = [
            f"Parameters: {self.total:,} ({self.nbytes:,} bytes)",
            f"trainable: {self.trainable:,}, fixed: {self.total - self.trainable:,}",
        ]
        return "\n".join([lines[0], ruler, *lines[1:], ruler, *totals])


def _row(layer: LayerSummary) -> tuple[str, str, str, str]:
    times = f" ({layer.calls} calls)" if layer.calls > 1 else ""
    output = "not called" if layer.calls == 0 else f"{_shapes(layer.output)}{times}"
    return layer.path or "(network)", layer.cls_name, output, f"{layer.parameters:,}"


def _shapes(output: Any) -> str:
    if isinstance(output, dict):
        return "{" + ", ".join(f"{k}: {_shapes(v)}" for k, v in output.items()) + "}"
    if isinstance(output, tuple) and output and not all(isinstance(n, int) for n in output):
        return ", ".join(map(_shapes, output))
    return str(list(output)) if isinstance(output, tuple) else str(output)


def summary(net: Any, *inputs: Any, **kwargs: Any) -> Summary:
    """Calls a network once as Python, and tells what each of its layers gave and holds. Parameters keep their values.

    Args:
        net: a Cell.
        inputs: what to call it with; without any, and without `kwargs`, the network is not called and no shapes are told.
        kwargs: the same by name.

    Returns:
        A Summary; print it to see the table.

    Raises:
        TypeError: `net` is no Cell.

    Examples:
        >>> from mindspore import Tensor, nn
        >>> net = nn.SequentialCell([nn.Dense(4, 8), nn.ReLU(), nn.Dense(8, 2)])
        >>> print(nn.summary(net, Tensor([[1.0, 2.0, 3.0, 4.0]])))
        Layer      Class           Output  Parameters
        ---------------------------------------------
        (network)  SequentialCell  [1, 2]           0
        0          Dense           [1, 8]          40
        1          ReLU            [1, 8]           0
        2          Dense           [1, 2]          18
        ---------------------------------------------
        Parameters: 58 (232 bytes)
        trainable: 58, fixed: 0
    """
    if not isinstance(net, Cell):
        raise TypeError(f"For 'summary', the 'net' must be a Cell, but got {type(net).__name__}.")
    seen: dict[int, list[Any]] = {}
    if inputs or kwargs:
        with _kept(net), _watched(net, seen):
            net(*inputs, **kwargs)
    counted: set[int] = set()
    layers = []
    for path, cell in net.cells_and_names():
        own = [p for _, p in cell.parameters_and_names(expand=False) if id(p) not in counted]
        counted.update(map(id, own))
        outputs = seen.get(id(cell), [])
        trained = sum(p.size for p in own if p.requires_grad)
        output = outputs[0] if outputs else None
        layers.append(LayerSummary(path, cell.cls_name, output, len(outputs), sum(p.size for p in own), trained))
    everything = list(net.get_parameters())
    total, trainable = (sum(layer.parameters for layer in layers), sum(layer.trainable for layer in layers))
    return Summary(tuple(layers), total, trainable, sum(p.nbytes for p in everything))


@contextmanager
def _kept(net: Cell) -> Iterator[None]:
    """Parameters have their values again afterwards: layers that train may move them."""
    before = [(p, p.asnumpy().copy()) for p in net.get_parameters()]
    try:
        yield
    finally:
        for parameter, value in before:
            parameter.set_data(Tensor(value, parameter.dtype))


@contextmanager
def _watched(net: Cell, seen: dict[int, list[Any]]) -> Iterator[None]:
    """The Cells of `net` run as Python and note what they give: for a while each is of a subclass of its class."""
    cells = [cell for _, cell in net.cells_and_names()]
    classes = [type(cell) for cell in cells]
    watching: dict[type, type] = {}
    try:
        for cell, cls in zip(cells, classes, strict=True):
            if cls not in watching:
                watching[cls] = _watching(cls, seen)
            object.__setattr__(cell, "__class__", watching[cls])
        yield
    finally:
        for cell, cls in zip(cells, classes, strict=True):
            object.__setattr__(cell, "__class__", cls)


def _watching(cls: type, seen: dict[int, list[Any]]) -> type:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = self.construct(*args, **kwargs)
        seen.setdefault(id(self), []).append(_structure(result))
        return result

    return type(cls.__name__, (cls,), {"__call__": call, "__module__": cls.__module__})


def _structure(value: Any) -> Any:
    """Shapes in the place of tensors, the names of their classes in the place of other values."""
    if isinstance(value, Tensor):
        return value.shape
    if isinstance(value, tuple | list):
        return tuple(map(_structure, value))
    return {k: _structure(v) for k, v in value.items()} if isinstance(value, dict) else type(value).__name__
