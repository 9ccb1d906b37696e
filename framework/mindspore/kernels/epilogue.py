"""Maps that follow a matrix product, as items computed where a result has just been finished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mindspore.base.shapes import Shape
from mindspore.kernels import groups, lanes, nest
from mindspore.kernels import lower_items as items
from mindspore.kernels.emit import Function
from mindspore.kernels.emit import Value as Lane
from mindspore.kernels.lanes import Lane as AnyLane
from mindspore.kernels.lower_items import Index, Place
from mindspore.kernels.nest import Item
from mindspore.kernels.program import Map, Product, Value


@dataclass(frozen=True, slots=True)
class Epilogue:
    """``items`` over ``dims``, of which the first ``leading`` make up the rows; item 0 is the product's result.

    ``pointers``: the values that are read or written. ``symbolic``: the first stride of items is 1 for the width of a row, which is known
    when the code runs, so that layers of different widths share it.
    """

    items: tuple[Item, ...]
    dims: Shape
    leading: int
    pointers: tuple[Value, ...]
    symbolic: bool = False

    @property
    def key(self) -> str:
        """Equal for epilogues that compile to the same code."""
        return repr((self.items, self.dims, self.leading, self.symbolic))

    def shares(self) -> dict[Value, list[Value]]:
        """Output -> inputs in whose memory it may be written."""
        return nest.in_place(self.items, self.pointers)

    def any_width(self) -> Epilogue:
        """The same for rows of any width where the items allow that."""
        if len(self.dims) != 2 or self.leading != 1:
            return self
        width = self.dims[1]
        if any(i.strides and i.strides[0] not in (0, width) for i in self.items):
            return self
        items = tuple(replace(i, strides=(i.strides[0] // width, i.strides[1])) if i.strides else i for i in self.items)
        return replace(self, items=items, dims=(), symbolic=True)

    def merged(self, same: Sequence[int]) -> Epilogue:
        """The epilogue with pointer k taken from argument ``same[k]``."""
        items = tuple(replace(i, buffer=same[i.buffer]) if i.buffer >= 0 else i for i in self.items)
        pointers = tuple(self.pointers[same.index(k)] for k in range(len(set(same))))
        return replace(self, items=items, pointers=pointers)

    @property
    def cost(self) -> int:
        return sum(i.cost for i in self.items)


def build(product: Product, maps: Sequence[Map], outputs: Sequence[Value]) -> Epilogue:
    """The epilogue that writes `outputs`, which may hold the product's own result."""
    dims = groups.epilogue_dims(product, maps)
    assert dims is not None, "fusion checked this"
    leading, total = 0, 1
    while leading < len(dims) and total < rows(product):
        total *= dims[leading]
        leading += 1
    made = groups.Layout((1, product.outputs[0].size, 1), places={product.outputs[0]: (False, 0)})
    for each in maps:
        groups.place(made, each)
    writer = nest.Writer(made, dims, outputs)
    writer.where[product.outputs[0]] = writer.add(Item("tile", product.outputs[0].dtype))
    for each in maps:
        writer.write(each)
    writer.stores()
    return Epilogue(tuple(writer.items), dims, leading, tuple(writer.pointers))


def rows(product: Product) -> int:
    """Rows of all batches together."""
    return product.size[0] * product.batch.count


def emit(
    f: Function, made: Epilogue, pointers: Sequence[Lane], position: tuple[Index, Index], result: AnyLane,
    over: tuple[int, Lane | None] = (-1, None), width: Index = 0,
) -> None:  # fmt: skip
    """Everything that follows from one finished element at (row, column).

    ``over``: a pointer whose stores go to the given address instead. ``width``: elements of a row of a symbolic epilogue.
    """
    outer, inner = made.dims[: made.leading], made.dims[made.leading :]
    indices = [*items.digits(position[0], outer), *items.digits(position[1], inner)]
    if made.symbolic:
        indices = [position[0] * width, position[1]]
    place = Place(f, pointers, indices)
    values: list[AnyLane] = []
    stores: list[tuple[Item, AnyLane]] = []
    for item in made.items:
        if item.kind == "tile":
            values.append(items.rounded(f, result, item.dtype))
        elif item.kind == "store":
            stores.append((item, values[item.args[0]]))
        else:
            values.append(items.compute(place, item, [values[a] for a in item.args]))
    for item, lane in stores:
        if item.buffer == over[0] and over[1] is not None:
            lanes.store(f, lane, over[1], item.dtype)
        else:
            items.store(place, item, lane)
