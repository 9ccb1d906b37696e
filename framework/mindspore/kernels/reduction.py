"""Reduction kernels for any shape and any set of axes.

Buffers: input, output (contiguous, over the kept dimensions). Parameters:

    [0] outer kept positions     [1] rank of the outer kept dimensions
    [2] folded positions         [3] rank of the folded dimensions
    [4] block: neighbouring kept elements that are folded side by side (1: the rows form)
    then sizes and strides of the outer kept dimensions, sizes and strides of the folded dimensions

The result does not depend on the number of threads: an output's fold is cut into chunks of `cost.FOLD_CHUNK` positions, whose results are
combined in order. Within a chunk, floats are added in short runs in their own width, and the runs in double (doubles with the rounding
error carried along).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape, row_major_strides, size
from mindspore.kernels import cost, lanes, odometer, runtime
from mindspore.kernels.catalog import KernelSpec, symbol
from mindspore.kernels.elementwise import collapse
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value
from mindspore.kernels.folding import Fold, fold_of

FAMILY = "reduction"
BLOCK = 256
"""Kept elements folded side by side: their partial results stay in the first-level cache."""
RUN = 256
"""Positions of a row added in the element's own width, by many lanes, before the sum moves to double."""
COLUMN_RUN = 64
"""The same for columns, where one lane adds them all."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the axes of one reduction lie in memory, collapsed."""

    kept: tuple[Shape, Shape]
    folded: tuple[Shape, Shape]
    block: int

    @property
    def params(self) -> tuple[int, ...]:
        kept, folded = self.kept, self.folded
        head = (size(kept[0]), len(kept[0]), size(folded[0]), len(folded[0]), self.block)
        return (*head, *kept[0], *kept[1], *folded[0], *folded[1])


def layout(shape: Shape, axes: Shape) -> Layout:
    """The layout of folding `axes` of a contiguous tensor of `shape`."""
    strides = row_major_strides(shape)
    kept = [i for i in range(len(shape)) if i not in axes]
    kept_sizes, (kept_strides,) = collapse(tuple(shape[i] for i in kept), [tuple(strides[i] for i in kept)])
    fold_sizes, (fold_strides,) = collapse(tuple(shape[i] for i in axes), [tuple(strides[i] for i in axes)])
    block = 1
    if kept_strides[-1] == 1 and kept_sizes[-1] > 1:
        block = kept_sizes.pop()
        kept_strides.pop()
    if not kept_sizes:
        kept_sizes, kept_strides = [1], [0]
    return Layout((tuple(kept_sizes), tuple(kept_strides)), (tuple(fold_sizes), tuple(fold_strides)), block)


def spec(kind: str, source: DType, target: DType) -> KernelSpec:
    """The kernel that folds `source` elements with `kind` into `target`."""
    name = f"msk_{FAMILY}_{kind}_{source.short}_{target.short}"
    return KernelSpec(name, FAMILY, partial(emit, name=name, fold=fold_of(kind, source, target)))


def emit(module: Module, name: str, fold: Fold) -> None:
    """Add kernel `name` to `module`."""
    f = runtime.kernel(module, symbol(name, module.isa))
    outer, count, block = (runtime.param(f, i) for i in (0, 2, 4))
    outputs = outer * block
    with f.when(outputs > 0):
        chunks = f.maximum(f.op("sdiv", count + (cost.FOLD_CHUNK - 1), cost.FOLD_CHUNK), f.index(1))
        split = chunks > 1
        room = outputs * chunks * fold.partial_bytes
        memory = f.choose(
            split, lambda: [runtime.allocate(f, f["runtime"], room)], lambda: [runtime.null(f)]
        )[0]  # fmt: skip
        with f.when(~split | runtime.exists(f, memory)):
            _spread(f, name, fold, (outer, count, block, chunks), [f["buffers"], f["params"], memory, chunks])
            with f.when(split):
                _combine(f, fold, outputs, chunks, memory)
                runtime.release(f, f["runtime"], memory)
    runtime.done(f)


def _spread(
    f: Function, name: str, fold: Fold, sizes: tuple[Value, Value, Value, Value], captured: list[Value]
) -> None:
    """Hand out the chunks of all outputs."""
    outer, count, block, chunks = sizes
    rows, columns = _rows(f.module, name, fold), _columns(f.module, name, fold)
    context = runtime.pack(f, captured)
    one, whole = f.index(1), f.index(cost.FOLD_CHUNK)

    def by_rows() -> list[Value]:
        grain = f.maximum(f.op("sdiv", whole, f.maximum(count, one)), one)
        runtime.parallel_for(f, f["runtime"], outer * chunks, grain, rows, context)
        return []

    def by_columns() -> list[Value]:
        tiles = f.op("sdiv", block + (BLOCK - 1), BLOCK)
        work = f.maximum(count, one) * f.minimum(block, f.index(BLOCK))
        runtime.parallel_for(
            f, f["runtime"], outer * tiles * chunks, f.maximum(f.op("sdiv", whole, work), one), columns, context
        )  # fmt: skip
        return []

    f.choose(block.eq(1), by_rows, by_columns)


def _combine(f: Function, fold: Fold, outputs: Value, chunks: Value, memory: Value) -> None:
    """Fold the chunks' results of each output in order: partial results lie as [chunk][output]."""
    target = runtime.buffer(f, 1)
    with f.loop(0, outputs, hints=[NO_VECTOR]) as each:
        with f.loop(0, chunks, carried=fold.wide_start(f), hints=[NO_VECTOR, NO_UNROLL]) as loop:
            value = fold.load_partial(f, memory, loop.index * outputs + each.index)
            loop.next(*fold.wide_join(f, loop.carried, value))
        fold.store(f, loop.results, lanes.address(f, target, each.index, fold.target))


@dataclass(frozen=True, slots=True)
class _Chunk:
    """The values inside a worker that both forms need."""

    source: Value
    target: Value
    partials: Value
    chunks: Value
    outer: Value
    kept: tuple[Value, Value, Value]
    count: Value
    folded: tuple[Value, Value, Value]
    block: Value


def _open(f: Function) -> _Chunk:
    buffers, numbers, partials, chunks = runtime.unpack(f, ["ptr", "ptr", "ptr", "i64"])
    outer, kept_rank, count, fold_rank, block = (f.load("i64", numbers.at("i64", i)) for i in range(5))
    kept_sizes = numbers.at("i64", 5)
    kept_strides = kept_sizes.at("i64", kept_rank)
    fold_sizes = kept_strides.at("i64", kept_rank)
    source, target = (f.load("ptr", buffers.at("ptr", i)) for i in range(2))
    return _Chunk(
        source, target, partials, chunks, outer, (kept_rank, kept_sizes, kept_strides), count,
        (fold_rank, fold_sizes, fold_sizes.at("i64", fold_rank)), block,
    )  # fmt: skip


def _offset(f: Function, position: Value, dims: tuple[Value, Value, Value], digits: Value) -> Value:
    rank, sizes, strides = dims
    odometer.start_digits(f, sizes, rank, position, digits)
    return odometer.dot(f, digits, strides, rank)


def _finish(f: Function, fold: Fold, c: _Chunk, state: Sequence[Value], output: Value, chunk: Value) -> None:
    """To the output when the fold is whole, else to the partial results."""
    outputs = c.outer * c.block

    def whole() -> list[Value]:
        fold.store(f, state, lanes.address(f, c.target, output, fold.target))
        return []

    def part() -> list[Value]:
        fold.store_partial(f, c.partials, chunk * outputs + output, state)
        return []

    f.choose(c.chunks.eq(1), whole, part)


def _rows(module: Module, name: str, fold: Fold) -> str:
    """Worker over (outer position, chunk): folds runs along the innermost folded dimension."""
    run = _row_run(module, name, fold)
    f = module.function(f"{name}_rows", "void", runtime.RANGE, internal=True, inline="noinline")
    c = _open(f)
    kept_digits, digits = f.alloca("i64", odometer.MAX_RANK), f.alloca("i64", odometer.MAX_RANK)
    state = f.alloca("i64", 2)
    rank, sizes, strides = c.folded
    inner_rank = rank - 1
    inner, stride = f.load("i64", sizes.at("i64", inner_rank)), f.load("i64", strides.at("i64", inner_rank))
    with f.loop(f["begin"], f["end"], hints=[NO_VECTOR, NO_UNROLL]) as item:
        output, chunk = f.op("sdiv", item.index, c.chunks), f.op("srem", item.index, c.chunks)
        base = _offset(f, output, c.kept, kept_digits)
        begin = chunk * cost.FOLD_CHUNK
        end = f.minimum(begin + cost.FOLD_CHUNK, c.count)
        fold.store_state(f, state, fold.wide_start(f))
        with f.when(begin < end):
            odometer.start_digits(f, sizes, inner_rank, f.op("udiv", begin, inner), digits)
            start = odometer.dot(f, digits, strides, inner_rank)
            skip = f.op("urem", begin, inner)
            turns = f.op("sdiv", end - 1 + (skip - begin) + inner, inner)
            with f.loop(0, turns, carried=[begin, skip, start], hints=[NO_VECTOR, NO_UNROLL]) as loop:
                position, ahead, offset = loop.carried
                length = f.minimum(inner - ahead, end - position)
                pointer = lanes.address(f, c.source, base + offset + ahead * stride, fold.source)
                f.call("void", run, pointer, stride, length, state)
                moved = f.call("i64", odometer.advance(module), sizes, inner_rank, strides, digits)
                loop.next(position + length, f.index(0), offset + moved)
        _finish(f, fold, c, fold.load_state(f, state), output, chunk)
    f.ret()
    return f"{name}_rows"


def _row_run(module: Module, name: str, fold: Fold) -> str:
    """``void run(from, stride, count, state)``: folds one run into the state."""
    label = f"{name}_run"
    f = module.function(
        label, "void", [("ptr noalias readonly", "from"), ("i64", "stride"), ("i64", "count"), ("ptr noalias", "state")],
        internal=True, inline="noinline",
    )  # fmt: skip
    source, stride, count, state = f.arguments

    def pieces(step: Value | int) -> list[Value]:
        with f.loop(0, count, RUN, carried=fold.load_state(f, state), hints=[NO_VECTOR, NO_UNROLL]) as outer:
            stop = f.minimum(outer.index + RUN, count)
            with f.loop(outer.index, stop, carried=[fold.narrow_start(f)]) as loop:
                element = lanes.load(f, lanes.address(f, source, loop.index * step, fold.source), fold.source)
                with fold.reordered(f):
                    loop.next(fold.narrow_join(f, loop.carried[0], element))
            outer.next(*fold.wide_join(f, outer.carried, fold.widen(f, loop.results[0])))
        fold.store_state(f, state, outer.results)
        return []

    f.choose(stride.eq(1), lambda: pieces(1), lambda: pieces(stride))
    f.ret()
    return label


def _columns(module: Module, name: str, fold: Fold) -> str:
    """Worker over (outer position, tile of the block, chunk): adds whole rows of a tile into a tile of partial results."""
    f = module.function(f"{name}_columns", "void", runtime.RANGE, internal=True, inline="noinline")
    c = _open(f)
    kept_digits, digits = f.alloca("i64", odometer.MAX_RANK), f.alloca("i64", odometer.MAX_RANK)
    narrow = f.alloca(fold.narrow_memory, BLOCK)
    wide = f.alloca("i64", BLOCK * 2)
    tiles = f.op("sdiv", c.block + (BLOCK - 1), BLOCK)
    rank, sizes, strides = c.folded
    with f.loop(f["begin"], f["end"], hints=[NO_VECTOR, NO_UNROLL]) as item:
        chunk, rest = f.op("srem", item.index, c.chunks), f.op("sdiv", item.index, c.chunks)
        tile, output = f.op("srem", rest, tiles) * BLOCK, f.op("sdiv", rest, tiles)
        width = f.minimum(c.block - tile, f.index(BLOCK))
        base = _offset(f, output, c.kept, kept_digits) + tile
        begin = chunk * cost.FOLD_CHUNK
        end = f.minimum(begin + cost.FOLD_CHUNK, c.count)
        with f.loop(0, width, hints=[NO_VECTOR]) as each:
            fold.store_state(f, wide.at("i64", each.index * 2), fold.wide_start(f))
        with f.when(begin < end):
            start = _offset(f, begin, c.folded, digits)
            with f.loop(begin, end, COLUMN_RUN, carried=[start], hints=[NO_VECTOR, NO_UNROLL]) as run:
                stop = f.minimum(run.index + COLUMN_RUN, end)
                _clear(f, fold, narrow, width)
                with f.loop(run.index, stop, carried=[run.carried[0]], hints=[NO_VECTOR, NO_UNROLL]) as row:
                    _add_row(f, fold, narrow, lanes.address(f, c.source, base + row.carried[0], fold.source), width)
                    moved = f.call("i64", odometer.advance(module), sizes, rank, strides, digits)
                    row.next(row.carried[0] + moved)
                _collect(f, fold, narrow, wide, width)
                run.next(row.results[0])
        with f.loop(0, width, hints=[NO_VECTOR]) as each:
            state = fold.load_state(f, wide.at("i64", each.index * 2))
            _finish(f, fold, c, state, output * c.block + tile + each.index, chunk)
    f.ret()
    return f"{name}_columns"


def _clear(f: Function, fold: Fold, narrow: Value, width: Value) -> None:
    with f.loop(0, width) as each:
        f.store(fold.to_narrow_memory(f, fold.narrow_start(f)), narrow.at(fold.narrow_memory, each.index))


def _add_row(f: Function, fold: Fold, narrow: Value, row: Value, width: Value) -> None:
    """narrow[j] joined with row[j]."""
    label = f"add_row_{fold.kind}_{fold.source.short}_{fold.target.short}"
    if not f.module.has(label):
        arguments = [("ptr noalias", "sums"), ("ptr noalias readonly", "row"), ("i64", "width")]
        g = f.module.function(label, "void", arguments, internal=True, inline="noinline")
        sums, source, count = g.arguments
        with g.loop(0, count) as each:
            element = lanes.load(g, lanes.address(g, source, each.index, fold.source), fold.source)
            slot = sums.at(fold.narrow_memory, each.index)
            value = fold.narrow_join(g, fold.from_narrow_memory(g, g.load(fold.narrow_memory, slot)), element)
            g.store(fold.to_narrow_memory(g, value), slot)
        g.ret()
    f.call("void", label, narrow, row, width)


def _collect(f: Function, fold: Fold, narrow: Value, wide: Value, width: Value) -> None:
    """The narrow partial results join the wide ones."""
    with f.loop(0, width, hints=[NO_VECTOR]) as each:
        slot = wide.at("i64", each.index * 2)
        value = fold.from_narrow_memory(f, f.load(fold.narrow_memory, narrow.at(fold.narrow_memory, each.index)))
        fold.store_state(f, slot, fold.wide_join(f, fold.load_state(f, slot), fold.widen(f, value)))
