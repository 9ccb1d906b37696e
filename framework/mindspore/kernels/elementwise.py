"""Element-wise kernels for any shape: every output element is a body of the scalar language over broadcast, strided operands.

Buffers: operands, then outputs. Outputs are contiguous. Parameters, for n operands and m index dimensions:

    [0]              number of output elements
    [1]              collapsed rank R >= 1
    [2 .. 2+n)       mode of each operand: 0 contiguous like the output, 1 one element for all, 2 strided
    [2+n .. 2+n+2m)  for each index dimension: elements after it, its size
    then             R collapsed sizes, then for each operand its R strides in elements

The body runs over contiguous memory only, which keeps one vectorised loop per kernel: operands that are not contiguous are first brought
tile by tile into a small buffer on the stack.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape, row_major_strides, size
from mindspore.kernels import lanes, odometer, runtime, scalars
from mindspore.kernels.catalog import KernelSpec, symbol
from mindspore.kernels.cost import elementwise_grain
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value
from mindspore.primitives.scalar import Expr

TILE = 512
"""Elements of a stack tile: 2 KiB of float32 for each operand, so that several stay in the first-level cache."""
CONTIGUOUS, UNIFORM, STRIDED = range(3)
FAMILY = "elementwise"


@dataclass(frozen=True, slots=True)
class Body:
    """What a kernel computes: traced bodies over operands of these types."""

    bodies: tuple[Expr, ...]
    operands: tuple[DType, ...]

    @property
    def outputs(self) -> tuple[DType, ...]:
        return tuple(b.dtype for b in self.bodies)

    @property
    def index_dimensions(self) -> tuple[int, ...]:
        """Output dimensions whose index the bodies use."""
        return tuple(sorted({n.attr for n in nodes(self.bodies) if n.op == "index"}))


def nodes(bodies: Sequence[Expr]) -> list[Expr]:
    """Every distinct node of the bodies, users before what they use."""
    seen: dict[int, Expr] = {}
    stack = list(reversed(bodies))
    while stack:
        node = stack.pop()
        if id(node) not in seen:
            seen[id(node)] = node
            stack.extend(reversed(node.args))
    return list(seen.values())


def digest(body: Body) -> str:
    """A short name for the meaning of the bodies; the same in every process."""
    known: dict[int, str] = {}
    for node in reversed(_inputs_last(body.bodies)):
        attr = body.index_dimensions.index(node.attr) if node.op == "index" else node.attr
        parts = [node.op, node.dtype.short, repr(attr), *(known[id(a)] for a in node.args)]
        known[id(node)] = hashlib.sha256("|".join(parts).encode()).hexdigest()
    return hashlib.sha256("|".join(known[id(b)] for b in body.bodies).encode()).hexdigest()[:10]


def _inputs_last(bodies: Sequence[Expr]) -> list[Expr]:
    order: list[Expr] = []
    done: set[int] = set()
    stack = [(b, False) for b in bodies]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif id(node) not in done:
            done.add(id(node))
            stack.append((node, True))
            stack.extend((a, False) for a in node.args)
    return order[::-1]


def spec(body: Body) -> KernelSpec:
    """The kernel of `body`; bodies that mean the same have the same kernel."""
    types = "_".join(t.short for t in body.operands or body.outputs)
    name = f"msk_{FAMILY}_{body.bodies[0].op}_{types}_{digest(body)}"
    return KernelSpec(name, FAMILY, partial(emit, name=name, body=body))


def collapse(shape: Shape, strides: Sequence[Shape]) -> tuple[list[int], list[list[int]]]:
    """Sizes and strides of the fewest dimensions over which all operands are still strided; at least one dimension."""
    sizes: list[int] = []
    kept: list[list[int]] = [[] for _ in strides]
    for position, extent in enumerate(shape):
        if extent == 1:
            continue
        here = [s[position] for s in strides]
        if sizes and all(k[-1] == h * extent for k, h in zip(kept, here, strict=True)):
            sizes[-1] *= extent
            for k, h in zip(kept, here, strict=True):
                k[-1] = h
        else:
            sizes.append(extent)
            for k, h in zip(kept, here, strict=True):
                k.append(h)
    return (sizes, kept) if sizes else ([1], [[0] for _ in strides])


def broadcast_strides(shape: Shape, to: Shape) -> Shape:
    """Strides of a contiguous operand of `shape` seen as `to`; 0 where it is repeated."""
    padded = (1,) * (len(to) - len(shape)) + shape
    return tuple(0 if have == 1 else s for have, s in zip(padded, row_major_strides(padded), strict=True))


def params(body: Body, shape: Shape, strides: Sequence[Shape]) -> tuple[int, ...]:
    """Parameters for an output of `shape` and operands with these strides over it (0 = repeated)."""
    sizes, kept = collapse(shape, strides)
    contiguous = list(row_major_strides(sizes))
    modes = [CONTIGUOUS if k == contiguous or size(shape) <= 1 else UNIFORM if not any(k) else STRIDED for k in kept]
    after = row_major_strides(shape)
    indices = [n for d in body.index_dimensions for n in (after[d], shape[d])]
    return (size(shape), len(sizes), *modes, *indices, *sizes, *(s for k in kept for s in k))


def emit(module: Module, name: str, body: Body) -> None:
    """Add kernel `name` to `module`."""
    loop = Value(_emit_loop(module, name, body), "ptr", f"@{name}_loop")
    f = runtime.kernel(module, symbol(name, module.isa))
    total = runtime.param(f, 0)
    with f.when(total > 0):
        context = runtime.pack(f, [f["buffers"], f["params"], loop])
        runtime.parallel_for(f, f["runtime"], total, elementwise_grain(body.bodies), _chunk(module, body), context)
    runtime.done(f)


def _emit_loop(module: Module, name: str, body: Body) -> Function:
    """``void loop(operands..., index tiles..., outputs..., count)`` over contiguous memory."""
    kinds = len(body.operands), len(body.index_dimensions), len(body.bodies)
    listed = [("ptr noalias readonly", f"x{i}") for i in range(kinds[0] + kinds[1])]
    listed += [("ptr noalias", f"y{i}") for i in range(kinds[2])]
    f = module.function(f"{name}_loop", "void", [*listed, ("i64", "count")], internal=True, inline="noinline")
    *pointers, count = f.arguments
    inputs, outputs = pointers[: kinds[0] + kinds[1]], pointers[kinds[0] + kinds[1] :]
    with f.loop(0, count) as i:
        operands = [
            lanes.load(f, lanes.address(f, p, i.index, t), t)
            for p, t in zip(inputs[: kinds[0]], body.operands, strict=True)
        ]
        indices = {
            d: f.load("i64", p.at("i64", i.index))
            for d, p in zip(body.index_dimensions, inputs[kinds[0] :], strict=True)
        }
        results = [scalars.lower(f, b, operands, indices.__getitem__) for b in body.bodies]
        for result, pointer, dtype in zip(results, outputs, body.outputs, strict=True):
            lanes.store(f, result, lanes.address(f, pointer, i.index, dtype), dtype)
    f.ret()
    return f


@dataclass(frozen=True, slots=True)
class _Layout:
    """All that the code around the loop depends on; kernels of one object file that agree on it share that code."""

    operands: tuple[int, ...]
    indices: int
    outputs: tuple[int, ...]

    @property
    def name(self) -> str:
        parts = ("_".join(map(str, self.operands)), str(self.indices), "_".join(map(str, self.outputs)))
        return f"elementwise_chunk_{'x'.join(parts)}"


def _chunk(module: Module, body: Body) -> str:
    """Name of the worker that runs a loop (a function pointer in the context) over elements begin to end."""
    sizes = tuple(t.itemsize for t in body.operands)
    layout = _Layout(sizes, len(body.index_dimensions), tuple(t.itemsize for t in body.outputs))
    if not module.has(layout.name):
        f = module.function(layout.name, "void", runtime.RANGE, internal=True, inline="noinline")
        _emit_chunk(f, layout, *runtime.unpack(f, ["ptr", "ptr", "ptr"]))
        f.ret()
    return layout.name


def _emit_chunk(f: Function, layout: _Layout, buffers: Value, numbers: Value, loop: Value) -> None:
    begin, end = f["begin"], f["end"]
    n, m = len(layout.operands), layout.indices

    def param(i: int) -> Value:
        return f.load("i64", numbers.at("i64", i))

    rank = param(1)
    modes = [param(2 + i) for i in range(n)]
    sizes = numbers.at("i64", 2 + n + 2 * m)
    strides = [sizes.at("i64", rank * (i + 1)) for i in range(n)]
    sources = [f.load("ptr", buffers.at("ptr", i)) for i in range(n)]
    outputs = [f.load("ptr", buffers.at("ptr", n + i)) for i in range(len(layout.outputs))]
    tiles = [f.alloca("i8", TILE * itemsize) for itemsize in layout.operands]
    index_tiles = [f.alloca("i64", TILE) for _ in range(m)]
    step = _tile_length(f, modes, end - begin, bool(m))
    for mode, source, tile, itemsize in zip(modes, sources, tiles, layout.operands, strict=True):
        with f.when(mode.eq(UNIFORM)):
            count = f.minimum(end - begin, f.index(TILE))
            f.call("void", odometer.copy_run(f.module, itemsize), tile, 1, source, 0, count)
    with f.loop(begin, end, step, hints=[NO_VECTOR, NO_UNROLL]) as turn:
        start, stop = turn.index, f.minimum(turn.index + step, end)
        ready = [
            _operand(f, itemsize, mode, source, tile, (start, stop, rank, sizes, stride))
            for itemsize, mode, source, tile, stride in zip(
                layout.operands, modes, sources, tiles, strides, strict=True
            )
        ]
        for i, tile in enumerate(index_tiles):
            _fill_index(f, tile, start, stop, param(2 + n + 2 * i), param(3 + n + 2 * i))
        written = [y.at("i8", start * itemsize) for y, itemsize in zip(outputs, layout.outputs, strict=True)]
        f.call("void", loop, *ready, *index_tiles, *written, stop - start)


def _tile_length(f: Function, modes: Sequence[Value], whole: Value, indexed: bool) -> Value:
    """The whole chunk at once when every operand is contiguous."""
    if indexed:
        return f.index(TILE)
    length = whole
    for mode in modes:
        length = f.select(mode.ne(CONTIGUOUS), f.index(TILE), length)
    return length


def _operand(
    f: Function, itemsize: int, mode: Value, source: Value, tile: Value, where: tuple[Value, Value, Value, Value, Value]
) -> Value:
    """Pointer to the operand's elements from start to stop, contiguous."""
    start, stop, rank, sizes, strides = where
    with f.when(mode.eq(STRIDED)):
        f.call("void", odometer.gather(f.module, itemsize), tile, source, start, stop, rank, sizes, strides)
    return f.select(mode.eq(CONTIGUOUS), source.at("i8", start * itemsize), tile)


def _fill_index(f: Function, tile: Value, start: Value, stop: Value, after: Value, extent: Value) -> None:
    """Positions start to stop as indices of the dimension of size `extent` that has `after` elements behind it, run by run."""
    digit = f.op("urem", f.op("udiv", start, after), extent)
    whole = stop - start

    def counting() -> list[Value]:
        runs = f.op("udiv", digit + whole + (extent - 1), extent)
        with f.loop(0, runs, carried=[f.index(0), digit], hints=[NO_VECTOR]) as run:
            done, first = run.carried
            many = f.minimum(extent - first, whole - done)
            with f.loop(0, many) as each:
                f.store(first + each.index, tile.at("i64", done + each.index))
            run.next(done + many, f.index(0))
        return []

    def constant() -> list[Value]:
        skip = f.op("urem", start, after)
        runs = f.op("udiv", skip + whole + (after - 1), after)
        with f.loop(0, runs, carried=[f.index(0), skip, digit], hints=[NO_VECTOR]) as run:
            done, passed, value = run.carried
            many = f.minimum(after - passed, whole - done)
            with f.loop(0, many) as each:
                f.store(value, tile.at("i64", done + each.index))
            following = value + 1
            run.next(done + many, f.index(0), f.select(following.eq(extent), f.index(0), following))
        return []

    f.choose(after.eq(1), counting, constant)
