"""Running results along one axis: sums and products, first-order linear recurrences, extremes with or without where they are.

``sum``: ``y[i] = y[i - 1] + x[i]``, ``prod`` likewise; ``linear``: ``y[i] = a[i] * y[i - 1] + b[i]`` from 0; ``max``, ``min``; ``argmax``,
``argmin``: also the last position with that value; ``logsum``: the logarithm of ``exp(y[i - 1]) + exp(x[i])``. Buffers: inputs
``[outer, count, inner]``, outputs of the same shape. Parameters: outer, count, inner, and whether the last position comes first.
Half precision is kept in float32 on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape, size
from mindspore.kernels import cost, lanes, runtime, scalars, scans
from mindspore.kernels.catalog import KernelSpec, symbol
from mindspore.kernels.emit import NO_VECTOR, Function, Module, Value
from mindspore.kernels.flatten_folds import accumulator, identity_of
from mindspore.kernels.lanes import Lane
from mindspore.kernels.lower_items import flat, regrouped
from mindspore.primitives.scalar import Expr, Scalars, trace

FAMILY = "accumulate"
BLOCK = 256
"""Neighbouring columns that advance together."""


@dataclass(frozen=True, slots=True)
class Running:
    """What runs along: elements of `dtype`, and for ``argmax`` and ``argmin`` positions of `places`."""

    kind: str
    dtype: DType
    places: DType | None = None

    @property
    def inputs(self) -> int:
        return 2 if self.kind == "linear" else 1

    @property
    def states(self) -> tuple[DType, ...]:
        """What is carried from position to position."""
        wide = accumulator(self.dtype)
        return (wide,) if self.places is None else (wide, self.places)

    @property
    def outputs(self) -> tuple[DType, ...]:
        return (self.dtype,) if self.places is None else (self.dtype, self.places)

    def start(self, f: Function) -> list[Lane]:
        wide, *places = self.states
        kind = self.kind.removeprefix("arg")
        number = float("-inf") if kind == "logsum" else 0 if kind in ("sum", "linear") else identity_of(kind, wide)
        return [scalars.constant(f, number, wide), *(scalars.constant(f, 0, t) for t in places)]

    def step(
        self, f: Function, states: Sequence[Lane], given: Sequence[Lane], place: Value, jump: bool = False
    ) -> list[Lane]:
        """The states behind one more position; with `jump` a new extreme is a branch, which a processor foresees."""
        if self.places is None:
            return [scalars.lower(f, _step(self.kind, self.states[0], self.inputs), [*states, *given])]
        (best, where), (new,) = states, given
        assert isinstance(best, Value)
        assert isinstance(where, Value)
        assert isinstance(new, Value)
        wins = f.compare("ge" if self.kind == "argmax" else "le", new, best, unsigned=self.dtype.kind in "bu")
        if self.dtype.is_floating:
            wins = wins | new.ne(new)
        position = place.to("trunc", where.type)
        if jump:
            return [*f.choose(wins, lambda: [new, position], lambda: [best, where], rare=True)]
        return [f.select(wins, new, best), f.select(wins, position, where)]


def spec(kind: str, dtype: DType, places: DType | None = None) -> KernelSpec:
    name = f"msk_{FAMILY}_{kind}_{dtype.short}{f'_{places.short}' if places else ''}"
    return KernelSpec(name, FAMILY, partial(_emit, name=name, running=Running(kind, dtype, places)))


def params(shape: Shape, axis: int, reverse: bool) -> tuple[int, ...]:
    """Parameters for `axis` (not negative) of a contiguous tensor of `shape`."""
    return (size(shape[:axis]), shape[axis], size(shape[axis + 1 :]), int(reverse))


def _emit(module: Module, name: str, running: Running) -> None:
    f = runtime.kernel(module, symbol(name, module.isa))
    outer, count, inner, reverse = (runtime.param(f, i) for i in range(4))
    blocks = f.op("sdiv", inner + (BLOCK - 1), BLOCK)
    work = f.maximum(count * f.minimum(inner, BLOCK), 1)
    grain = f.maximum(f.op("sdiv", f.index(cost.FOLD_CHUNK), work), 1)
    buffers = [runtime.buffer(f, i) for i in range(running.inputs + len(running.outputs))]
    captured = [*buffers, count, inner, reverse]

    def by_rows() -> list[Value]:
        body = _scans if scans.suits(running.kind, running.dtype) else _rows
        runtime.parallel(f, f"{name}_rows", outer, grain, captured, partial(body, running))
        return []

    def by_columns() -> list[Value]:
        runtime.parallel(f, f"{name}_columns", outer * blocks, grain, captured, partial(_columns, running))
        return []

    with f.when(outer * count * inner > 0):
        f.choose(inner.eq(1), by_rows, by_columns)
    runtime.done(f)


def _loaded(running: Running, f: Function, sources: Sequence[Value], where: Value) -> list[Lane]:
    return [lanes.load(f, lanes.address(f, s, where, running.dtype), running.dtype) for s in sources]


def _stored(running: Running, f: Function, states: Sequence[Lane], targets: Sequence[Value], where: Value) -> None:
    for state, target, dtype in zip(states, targets, running.outputs, strict=True):
        lanes.store(f, state, lanes.address(f, target, where, dtype), dtype)


def _scans(running: Running, f: Function, begin: Value, end: Value, captured: list[Value]) -> None:
    """`_rows` a vector at a time."""
    source, target, count, _, reverse = captured
    kind, dtype = running.kind, running.dtype
    (start,) = running.start(f)
    assert isinstance(start, Value)

    def step(before: Value, new: Value) -> Value:
        (after,) = running.step(f, [before], [new], before)
        assert isinstance(after, Value)
        return after

    with f.loop(begin, end, hints=[NO_VECTOR]) as row:
        memory = tuple(lanes.address(f, p, row.index * count, dtype) for p in (source, target))
        scans.rows(f, kind, dtype, (memory[0], memory[1]), count, reverse.ne(0), start, step)


def _rows(running: Running, f: Function, begin: Value, end: Value, captured: list[Value]) -> None:
    """The axis is the innermost one: states stay in registers."""
    *buffers, count, _, reverse = captured
    sources, targets = buffers[: running.inputs], buffers[running.inputs :]
    back = reverse.ne(0)
    with f.loop(begin, end, hints=[NO_VECTOR]) as row:
        start = running.start(f)
        with f.loop(0, count, carried=[v for s in start for v in flat(s)], hints=[NO_VECTOR]) as each:
            place = f.select(back, count - 1 - each.index, each.index)
            where = row.index * count + place
            states = running.step(f, regrouped(each.carried, start), _loaded(running, f, sources, where), place, True)
            _stored(running, f, states, targets, where)
            each.next(*(v for s in states for v in flat(s)))


def _columns(running: Running, f: Function, begin: Value, end: Value, captured: list[Value]) -> None:
    *buffers, count, inner, reverse = captured
    sources, targets = buffers[: running.inputs], buffers[running.inputs :]
    kept = [f.alloca(lanes.memory_type(t), BLOCK * (2 if t.is_complex else 1)) for t in running.states]
    blocks = f.op("sdiv", inner + (BLOCK - 1), BLOCK)
    with f.loop(begin, end, hints=[NO_VECTOR]) as unit:
        outer, first = f.op("sdiv", unit.index, blocks), f.op("srem", unit.index, blocks) * BLOCK
        width = f.minimum(inner - first, BLOCK)
        with f.loop(0, width) as column:
            for state, memory, dtype in zip(running.start(f), kept, running.states, strict=True):
                lanes.store(f, state, lanes.address(f, memory, column.index, dtype), dtype)
        with f.loop(0, count, hints=[NO_VECTOR]) as row:
            place = f.select(reverse.ne(0), count - 1 - row.index, row.index)
            start = (outer * count + place) * inner + first
            with f.loop(0, width) as column:
                slots = [lanes.address(f, m, column.index, t) for m, t in zip(kept, running.states, strict=True)]
                before = [lanes.load(f, s, t) for s, t in zip(slots, running.states, strict=True)]
                given = _loaded(running, f, sources, start + column.index)
                states = running.step(f, before, given, place)
                for state, slot, dtype in zip(states, slots, running.states, strict=True):
                    lanes.store(f, state, slot, dtype)
                _stored(running, f, states, targets, start + column.index)


def _step(kind: str, dtype: DType, inputs: int) -> Expr:
    before, *given = (Expr("operand", (), dtype, i) for i in range(inputs + 1))
    if kind == "logsum":
        return trace(_log_of_sum, (dtype, dtype))
    if kind == "linear":
        return Expr("add", (Expr("mul", (given[0], before), dtype), given[1]), dtype)
    return Expr({"sum": "add", "prod": "mul", "max": "maximum", "min": "minimum"}[kind], (before, given[0]), dtype)


def _log_of_sum(s: Scalars, x: Expr, y: Expr) -> Expr:
    """Equal operands are no distance apart, infinite ones neither."""
    apart = s.select(s.eq(x, y), 0, s.neg(s.abs(s.sub(x, y))))
    return s.add(s.maximum(x, y), s.log1p(s.exp(apart)))
