"""Copying strided boxes of elements, and filling; one kernel for each element size.

copy: buffers input, output; parameters

    [0] elements, [1] rank R >= 1, [2] first input element, [3] first output element, then R sizes, R input strides, R output strides

of the collapsed box, the dimension with the smallest output stride last.

transpose: ``out[r, c] = in[c, r]`` with both inner strides 1, in tiles that stay in cache. Buffers input, output; parameters

    [0] batches, [1] rows, [2] columns, [3] first input element, [4] input stride between batches, [5] and [6] the same of the output,
    [7] input stride between columns, [8] output stride between rows

fill: buffer output; parameters elements, low and high 8 bytes of the element.
"""

from __future__ import annotations

from functools import partial

from mindspore.base.shapes import row_major_strides, size
from mindspore.kernels import cost, odometer, runtime
from mindspore.kernels.catalog import KernelSpec, symbol
from mindspore.kernels.elementwise import collapse
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value
from mindspore.kernels.lanes import Complex
from mindspore.primitives.compute import Copy

FAMILY = "move"
SIZES = (1, 2, 4, 8, 16)
TILE = 32
"""Rows and columns of a transpose tile: both sides of a tile of 8-byte elements fill 16 KiB."""


def copy_spec(itemsize: int) -> KernelSpec:
    name = f"msk_{FAMILY}_copy_{itemsize}"
    return KernelSpec(name, FAMILY, partial(_emit_copy, name=name, itemsize=itemsize))


def transpose_spec(itemsize: int) -> KernelSpec:
    name = f"msk_{FAMILY}_transpose_{itemsize}"
    return KernelSpec(name, FAMILY, partial(_emit_transpose, name=name, itemsize=itemsize))


def fill_spec(itemsize: int) -> KernelSpec:
    name = f"msk_{FAMILY}_fill_{itemsize}"
    return KernelSpec(name, FAMILY, partial(_emit_fill, name=name, itemsize=itemsize))


def box_call(box: Copy, itemsize: int) -> tuple[KernelSpec, tuple[int, ...]] | None:
    """The kernel and parameters that copy `box`; None for an empty one."""
    if size(box.sizes) == 0:
        return None
    order = sorted(range(len(box.sizes)), key=lambda i: -abs(box.out_strides[i]))
    sizes, (source, target) = collapse(
        tuple(box.sizes[i] for i in order),
        [tuple(box.in_strides[i] for i in order), tuple(box.out_strides[i] for i in order)],
    )
    if _is_transpose(sizes, source, target):
        batches = (sizes[0], source[0], target[0]) if len(sizes) == 3 else (1, 0, 0)
        params = (
            batches[0], sizes[-2], sizes[-1], box.in_offset, batches[1], box.out_offset, batches[2], source[-1], target[-2],
        )  # fmt: skip
        return transpose_spec(itemsize), params
    if sizes == [1]:
        source, target = [1], [1]
    return copy_spec(itemsize), (
        size(sizes), len(sizes), box.in_offset, box.out_offset, *sizes, *source, *target,
    )  # fmt: skip


def _is_transpose(sizes: list[int], source: list[int], target: list[int]) -> bool:
    """The two last dimensions change places, and at most one dimension is before them."""
    if len(sizes) not in (2, 3) or min(sizes[-2:]) < 4:
        return False
    return source[-2] == 1 and target[-1] == 1


def fill_params(count: int, element: bytes) -> tuple[int, ...]:
    """Parameters that fill `count` elements with the bytes of one."""
    padded = element.ljust(16, b"\0")
    return (count, *(int.from_bytes(padded[i : i + 8], "little", signed=True) for i in (0, 8)))


def contiguous_box(count: int, in_offset: int = 0, out_offset: int = 0) -> Copy:
    """A run of `count` elements."""
    strides = row_major_strides((count,))
    return Copy(0, (count,), in_offset, strides, out_offset, strides)


def _emit_copy(module: Module, name: str, itemsize: int) -> None:
    f = runtime.kernel(module, symbol(name, module.isa))
    total = runtime.param(f, 0)
    grain = max(1, cost.MOVE_BYTES // itemsize)
    with f.when(total > 0):
        captured = [runtime.buffer(f, 0), runtime.buffer(f, 1), f["params"]]
        runtime.parallel(f, f"{name}_chunk", total, grain, captured, partial(_copy_chunk, itemsize))
    runtime.done(f)


def _copy_chunk(itemsize: int, f: Function, begin: Value, end: Value, captured: list[Value]) -> None:
    source, target, numbers = captured
    rank, in_offset, out_offset = (f.load("i64", numbers.at("i64", i)) for i in (1, 2, 3))
    sizes = numbers.at("i64", 4)
    in_strides = sizes.at("i64", rank)
    out_strides = in_strides.at("i64", rank)
    last = rank - 1
    inner, in_step, out_step = (f.load("i64", p.at("i64", last)) for p in (sizes, in_strides, out_strides))
    in_digits, out_digits = f.alloca("i64", odometer.MAX_RANK), f.alloca("i64", odometer.MAX_RANK)
    row = f.op("udiv", begin, inner)
    odometer.start_digits(f, sizes, last, row, in_digits)
    odometer.start_digits(f, sizes, last, row, out_digits)
    first = [in_offset + odometer.dot(f, in_digits, in_strides, last)]
    first.append(out_offset + odometer.dot(f, out_digits, out_strides, last))
    skip = f.op("urem", begin, inner)
    turns = f.op("sdiv", end - 1 + (skip - begin) + inner, inner)
    kind = odometer.item_type(itemsize)
    run, step = odometer.copy_run(f.module, itemsize), odometer.advance(f.module)
    with f.loop(0, turns, carried=[begin, skip, *first], hints=[NO_VECTOR, NO_UNROLL]) as loop:
        position, ahead, from_base, to_base = loop.carried
        count = f.minimum(inner - ahead, end - position)
        to, origin = target.at(kind, to_base + ahead * out_step), source.at(kind, from_base + ahead * in_step)
        f.call("void", run, to, out_step, origin, in_step, count)
        from_moved = f.call("i64", step, sizes, last, in_strides, in_digits)
        to_moved = f.call("i64", step, sizes, last, out_strides, out_digits)
        loop.next(position + count, f.index(0), from_base + from_moved, to_base + to_moved)


def _emit_transpose(module: Module, name: str, itemsize: int) -> None:
    f = runtime.kernel(module, symbol(name, module.isa))
    numbers = [runtime.param(f, i) for i in range(9)]
    batches, rows, columns = numbers[:3]
    tiles = f.op("sdiv", rows + (TILE - 1), TILE)
    grain = f.maximum(
        f.op("sdiv", f.index(cost.MOVE_BYTES // (TILE * itemsize)), f.maximum(columns, f.index(1))), f.index(1)
    )
    captured = [runtime.buffer(f, 0), runtime.buffer(f, 1), *numbers]
    runtime.parallel(
        f, f"{name}_chunk", batches * tiles, grain, captured, partial(_transpose_chunk, itemsize, f"{name}_tile")
    )
    runtime.done(f)


def _transpose_chunk(itemsize: int, tile: str, f: Function, begin: Value, end: Value, captured: list[Value]) -> None:
    source, target, _, rows, columns, in_offset, in_batch, out_offset, out_batch, in_step, out_step = captured
    kind = odometer.item_type(itemsize)
    _transpose_tile(f.module, tile, itemsize)
    tiles = f.op("sdiv", rows + (TILE - 1), TILE)
    with f.loop(begin, end, hints=[NO_VECTOR]) as item:
        batch, row = f.op("sdiv", item.index, tiles), f.op("srem", item.index, tiles) * TILE
        height = f.minimum(rows - row, f.index(TILE))
        origin = source.at(kind, in_offset + batch * in_batch + row)
        to = target.at(kind, out_offset + batch * out_batch + row * out_step)
        with f.loop(0, columns, TILE, hints=[NO_VECTOR]) as column:
            width = f.minimum(columns - column.index, f.index(TILE))
            f.call(
                "void", tile, to.at(kind, column.index), out_step, origin.at(kind, column.index * in_step), in_step,
                height, width,
            )  # fmt: skip


def _transpose_tile(module: Module, name: str, itemsize: int) -> None:
    """``void tile(to, to_step, from, from_step, height, width)``."""
    pointers = [("ptr noalias", "to"), ("i64", "to_step"), ("ptr noalias readonly", "from"), ("i64", "from_step")]
    f = module.function(
        name, "void", [*pointers, ("i64", "height"), ("i64", "width")], internal=True, inline="noinline"
    )
    to, to_step, source, from_step, height, width = f.arguments
    kind = odometer.item_type(itemsize)

    def row(r: Value, c: Value) -> None:
        value = odometer.load_item(f, source.at(kind, c * from_step + r), itemsize)
        odometer.store_item(f, value, to.at(kind, r * to_step + c))

    def whole() -> list[Value]:
        with f.loop(0, height, hints=[NO_VECTOR]) as r, f.loop(0, TILE, 8, hints=[NO_VECTOR, NO_UNROLL]) as c:
            for i in range(8):
                row(r.index, c.index + i)
        return []

    def edge() -> list[Value]:
        with f.loop(0, height, hints=[NO_VECTOR]) as r, f.loop(0, width, hints=[NO_VECTOR]) as c:
            row(r.index, c.index)
        return []

    f.choose(width.eq(TILE), whole, edge)
    f.ret()


def _emit_fill(module: Module, name: str, itemsize: int) -> None:
    f = runtime.kernel(module, symbol(name, module.isa))
    total, low, high = (runtime.param(f, i) for i in range(3))
    captured = [runtime.buffer(f, 0), low, high]
    grain = max(1, cost.MOVE_BYTES // itemsize)
    with f.when(total > 0):
        runtime.parallel(f, f"{name}_chunk", total, grain, captured, partial(_fill_chunk, itemsize))
    runtime.done(f)


def _fill_chunk(itemsize: int, f: Function, begin: Value, end: Value, captured: list[Value]) -> None:
    target, low, high = captured
    kind = odometer.item_type(itemsize)
    value = Complex(low, high) if itemsize == 16 else low if itemsize == 8 else low.to("trunc", kind)
    with f.loop(begin, end) as i:
        odometer.store_item(f, value, target.at(kind, i.index))
