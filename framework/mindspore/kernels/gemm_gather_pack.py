"""Packing through tables of offsets: the windows of a convolution are read where they lie, run by run.

A table of `count` places is `count` offsets, then for each place how many of them, from it on, are neighbours in memory.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value, mangled, vector
from mindspore.kernels.gemm_pack import pieces, shuffle, transposed

_GROUP = 4
"""Side of the blocks that are transposed in registers."""
_RUNS = (2, 4)
"""A vector is put together from at most so many runs, with a masked load each, where the level has masked loads."""
_HINTS = [NO_UNROLL, NO_VECTOR]


def table(address: Value) -> Value:
    return address.to("inttoptr", "ptr")


def entry(f: Function, of: Value, position: Value) -> Value:
    """Number `position` of a table."""
    return f.load("i64", of.at("i64", position))


class _Packing:
    """Writes panels of `panel` places, step of K by step of K. Places past the end repeat the last one: their results are not stored."""

    def __init__(self, f: Function, type: str, panel: int, places: bool) -> None:
        self.f, self.type, self.panel, self.places = f, type, panel, places
        self.first, self.count, self.steps, self.origin, self.where, self.total, self.inner, self.runs, self.to = (
            f.arguments
        )

    def run(self) -> None:
        f = self.f
        with f.loop(0, self.count, self.panel, hints=_HINTS) as loop:
            target = self.to.at(self.type, loop.index * self.steps)
            for start, length in pieces(f, self.type, self.panel):
                self.piece(loop.index + start, length, target.at(self.type, start))

    def row(self, place: Value) -> Value:
        """Where a place starts."""
        offset = entry(self.f, table(self.where), place) if self.places else place * self.where
        return self.origin.at(self.type, offset)

    def piece(self, index: Value, length: int, target: Value) -> None:
        """`length` places from `index` on."""
        f, place = self.f, index + self.first

        def mixed() -> Sequence[Value]:
            self.mixed([self.row(f.minimum(index + i, self.count - 1) + self.first) for i in range(length)], target)
            return []

        if not self.places:
            mixed()
            return
        starts = [f.index(0)]
        lengths = []
        for _ in range(max(_RUNS) if length >= 2 * _GROUP else 1):
            at = f.minimum(place + starts[-1], self.total - 1)
            lengths.append(entry(f, table(self.where), at + self.total))
            starts.append(f.minimum(starts[-1] + lengths[-1], f.index(length)))
        inside = index + length <= self.count

        def few(counts: Sequence[int]) -> Sequence[Value]:
            if not counts:
                return mixed()
            fits = inside & starts[counts[0]].eq(length)
            return f.choose(
                fits, lambda: self.joined(place, starts[: counts[0] + 1], length, target), lambda: few(counts[1:])
            )

        f.choose(
            inside & (lengths[0] >= length),
            lambda: self.along(place, length, target),
            lambda: few(_RUNS if len(lengths) > 1 else ()),
        )

    def along(self, place: Value, length: int, target: Value) -> Sequence[Value]:
        """Neighbouring places are neighbours in memory: copy."""
        f, kind, row = self.f, vector(length, self.type) if length > 1 else self.type, self.row(place)
        with f.loop(0, self.steps, hints=[NO_VECTOR]) as step:
            value = f.load(kind, row.at(self.type, entry(f, self.inner, step.index)))
            f.store(value, target.at(self.type, step.index * self.panel))
        return []

    def joined(self, place: Value, starts: Sequence[Value], length: int, target: Value) -> Sequence[Value]:
        """Run i fills the lanes from ``starts[i]`` to ``starts[i + 1]``; nothing else is read."""
        f, kind = self.f, vector(length, self.type)
        bounds = [self.spread(s, length) for s in starts]
        numbers = Value(f, vector(length, "i32"), f"<{', '.join(f'i32 {i}' for i in range(length))}>")
        sources = []
        for low, high, start in zip(bounds, bounds[1:], starts, strict=False):
            mask = self.compare("sge", numbers, low) & self.compare("slt", numbers, high)
            row = self.row(f.minimum(place + start, self.total - 1))
            sources.append((row.at(self.type, f.index(0) - start), mask))
        with f.loop(0, self.steps, hints=_HINTS) as step:
            offset = entry(f, self.inner, step.index)
            value = f.value(0.0, kind)
            for row, mask in sources:
                value = f.intrinsic(
                    "masked.load", kind, row.at(self.type, offset), mask, value, suffix=f"{mangled(kind)}.p0"
                )
            f.store(value, target.at(self.type, step.index * self.panel))
        return []

    def spread(self, value: Value, length: int) -> Value:
        """A number in all lanes."""
        f, kind = self.f, vector(length, "i32")
        first = f.emit(kind, f"insertelement {kind} poison, {value.to('trunc', 'i32')}, i64 0")
        return f.emit(kind, f"shufflevector {first}, {kind} poison, <{length} x i32> zeroinitializer")

    def compare(self, how: str, a: Value, b: Value) -> Value:
        return self.f.emit(a.type.replace("i32", "i1"), f"icmp {how} {a}, {b.name}")

    def mixed(self, rows: list[Value], target: Value) -> None:
        """Four steps of K at once where they are neighbours."""
        f = self.f
        whole = self.steps - (self.steps % _GROUP)
        with f.loop(0, whole, _GROUP, hints=_HINTS) as step:
            here = target.at(self.type, step.index * self.panel)

            def block() -> list[Value]:
                inner = entry(f, self.inner, step.index)
                for start in range(0, len(rows), _GROUP):
                    self.block(
                        [r.at(self.type, inner) for r in rows[start : start + _GROUP]], here.at(self.type, start)
                    )
                return []

            def single() -> list[Value]:
                for i in range(_GROUP):
                    self.single(rows, step.index + i, here.at(self.type, i * self.panel))
                return []

            f.choose(entry(f, self.runs, step.index) >= _GROUP, block, single)
        with f.loop(whole, self.steps, hints=_HINTS) as step:
            self.single(rows, step.index, target.at(self.type, step.index * self.panel))

    def single(self, rows: list[Value], step: Value, target: Value) -> None:
        inner = entry(self.f, self.inner, step)
        for i, row in enumerate(rows):
            self.f.store(self.f.load(self.type, row.at(self.type, inner)), target.at(self.type, i))

    def block(self, rows: list[Value], target: Value) -> None:
        f, count = self.f, len(rows)
        loaded = [f.load(vector(_GROUP, self.type), r) for r in rows]
        loaded += [f.value(0.0, loaded[0].type)] * (_GROUP - count)
        for i, column in enumerate(transposed(f, loaded)):
            part = column if count == _GROUP else shuffle(f, column, column, list(range(count)))
            f.store(part, target.at(self.type, i * self.panel))


def gather_pack(module: Module, type: str, panel: int, places: bool) -> str:
    """Name of ``void pack(first, count, steps, from, where, total, inner, runs, to)``.

    ``where`` is the address of the table of all ``total`` places, or without `places` the distance between them; ``inner`` and ``runs``
    are the table of K at the first step.
    """
    name = f"gemm_gather_{type}_{panel}_{int(places)}"
    if module.has(name):
        return name
    listed = [
        ("i64", "first"), ("i64", "count"), ("i64", "steps"), ("ptr noalias readonly", "from"), ("i64", "where"), ("i64", "total"),
        ("ptr noalias readonly", "inner"), ("ptr noalias readonly", "runs"), ("ptr noalias", "to"),
    ]  # fmt: skip
    f = module.function(name, "void", listed, internal=True, inline="noinline")
    _Packing(f, type, panel, places).run()
    f.ret()
    return name
