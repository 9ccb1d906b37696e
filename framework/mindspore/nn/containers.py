"""Cells that hold other Cells in order."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any

from mindspore.nn.cell import Cell

__all__ = ["CellList", "SequentialCell"]


class _Ordered(Cell):
    """Sub-cells by name, ``0``, ``1``, ... unless they were given names.

    They stand in one dict that is changed in place and never replaced, so that compiled graphs can watch it.
    """

    def __init__(self, named: Iterable[tuple[str, Any]]) -> None:
        super().__init__()
        self.__dict__["_ordered"] = {}
        self._fill(named)

    def _fill(self, named: Iterable[tuple[str, Any]]) -> None:
        listed = list(named)
        for _, cell in listed:
            if not isinstance(cell, Cell):
                raise TypeError(f"For '{self.cls_name}', each element must be a Cell, but got {type(cell).__name__}.")
        self._ordered.clear()
        for name, cell in listed:
            setattr(self, name, cell)

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Cell):
            self._adopt(name, value)
            self._ordered[name] = value
        else:
            super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        found = self.__dict__.get("_ordered", {}).get(name)
        return found if found is not None else super().__getattr__(name)

    def name_cells(self) -> OrderedDict[str, Cell]:
        return OrderedDict(self._ordered)

    def __len__(self) -> int:
        return len(self._ordered)

    def __iter__(self) -> Iterator[Cell]:
        return iter(self._ordered.values())

    def __bool__(self) -> bool:
        return True

    def __setitem__(self, index: int, cell: Cell) -> None:
        chosen = list(self._ordered)[index]
        self._fill([(n, cell if n == chosen else c) for n, c in self._ordered.items()])

    def __delitem__(self, index: int | slice) -> None:
        kept = list(self)
        del kept[index]
        self._fill(_numbered(kept))

    def append(self, cell: Cell) -> Any:
        """Adds a Cell at the end."""
        self._fill(_numbered([*self, cell]))
        return self

    def insert(self, index: int, cell: Cell) -> Any:
        """Adds a Cell before position `index`."""
        cells: list[Any] = list(self)
        cells.insert(index, cell)
        self._fill(_numbered(cells))
        return self

    def extend(self, cells: Iterable[Cell]) -> Any:
        """Adds Cells at the end."""
        self._fill(_numbered([*self, *cells]))
        return self


def _numbered(cells: Iterable[Any]) -> list[tuple[str, Any]]:
    return [(str(i), c) for i, c in enumerate(cells)]


def _listed(args: tuple[Any, ...]) -> list[tuple[str, Any]]:
    """Cells that came one by one, as one list, or by name in an OrderedDict."""
    if len(args) == 1 and isinstance(args[0], OrderedDict):
        return list(args[0].items())
    return _numbered(args[0] if len(args) == 1 and isinstance(args[0], list | tuple) else args)


class SequentialCell(_Ordered):
    """Calls its Cells one after the other, each with the result of the one before.

    Args:
        args: Cells, one list of Cells, or one OrderedDict of Cells by name.

    Examples:
        >>> import mindspore.nn as nn
        >>> nn.SequentialCell(nn.ReLU(), nn.Tanh())
        SequentialCell(
          (0): ReLU()
          (1): Tanh()
        )
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(_listed(args))

    def __getitem__(self, index: int | slice) -> Cell:
        if isinstance(index, slice):
            return SequentialCell(OrderedDict(list(self._ordered.items())[index]))
        found: Cell = list(self)[index]
        return found

    def construct(self, input_data: Any) -> Any:
        for cell in self:
            input_data = cell(input_data)
        return input_data


class CellList(_Ordered):
    """A list of Cells, to be called by the Cell that holds it.

    Args:
        args: Cells, or one list of Cells.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(_listed(args))

    def __getitem__(self, index: int | slice) -> Any:
        found = list(self)[index]
        return CellList(found) if isinstance(found, list) else found
