"""Walking strided index spaces of a rank known at run time: the internal functions that element-wise kernels and copies share."""

from __future__ import annotations

from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value
from mindspore.kernels.lanes import Complex

MAX_RANK = 32
"""Dimensions after collapsing that a kernel takes."""

_ITEM = {1: "i8", 2: "i16", 4: "i32", 8: "i64", 16: "{ i64, i64 }"}


def item_type(itemsize: int) -> str:
    """An LLVM type that copies one element of that size."""
    return _ITEM[itemsize]


def load_item(f: Function, pointer: Value, itemsize: int) -> Value | Complex:
    if itemsize == 16:
        return Complex(f.load("i64", pointer, 1), f.load("i64", pointer.at("i64", 1), 1))
    return f.load(_ITEM[itemsize], pointer)


def store_item(f: Function, value: Value | Complex, pointer: Value) -> None:
    if isinstance(value, Complex):
        f.store(value.real, pointer, 1)
        f.store(value.imag, pointer.at("i64", 1), 1)
    else:
        f.store(value, pointer)


def start_digits(f: Function, dims: Value, rank: Value, position: Value, digits: Value) -> None:
    """Write the digits of `position` over ``dims[0..rank)`` to `digits`."""
    with f.loop(0, rank, carried=[position], hints=[NO_VECTOR, NO_UNROLL]) as loop:
        place = rank - 1 - loop.index
        dim = f.load("i64", dims.at("i64", place))
        f.store(f.op("urem", loop.carried[0], dim), digits.at("i64", place))
        loop.next(f.op("udiv", loop.carried[0], dim))


def dot(f: Function, digits: Value, strides: Value, rank: Value) -> Value:
    """Sum of digits times strides."""
    with f.loop(0, rank, carried=[f.index(0)], hints=[NO_VECTOR, NO_UNROLL]) as loop:
        digit, stride = f.load("i64", digits.at("i64", loop.index)), f.load("i64", strides.at("i64", loop.index))
        loop.next(loop.carried[0] + digit * stride)
    return loop.results[0]


def advance(module: Module) -> str:
    """Name of ``i64 advance(dims, rank, strides, digits)``: next position in row-major order; gives the change of offset."""
    name = "odometer_advance"
    if module.has(name):
        return name
    f = module.function(
        name, "i64", [("ptr", "dims"), ("i64", "rank"), ("ptr", "strides"), ("ptr noalias", "digits")], internal=True
    )
    dims, rank, strides, digits = f.arguments
    head, body, stop, wrap, done = (f.fresh(n) for n in ("head", "body", "stop", "wrap", "done"))
    f.label(head)
    place, change = (Value(f, "i64", f"%{f.fresh('p')}") for _ in range(2))
    following, total = (Value(f, "i64", f"%{f.fresh('n')}") for _ in range(2))
    f.line(f"{place.name} = phi i64 [ {rank.name}, %start ], [ {following.name}, %{wrap} ]")
    f.line(f"{change.name} = phi i64 [ 0, %start ], [ {total.name}, %{wrap} ]")
    f.branch(place > 0, body, done)
    f.line(f"{body}:")
    f.line(f"{following.name} = sub nsw i64 {place.name}, 1")
    slot = digits.at("i64", following)
    stride = f.load("i64", strides.at("i64", following))
    digit = f.load("i64", slot) + 1
    dim = f.load("i64", dims.at("i64", following))
    f.branch(digit < dim, stop, wrap)
    f.line(f"{stop}:")
    f.store(digit, slot)
    f.ret(change + stride)
    f.line(f"{wrap}:")
    f.store(f.index(0), slot)
    f.line(f"{total.name} = sub nsw i64 {change.name}, {((dim - 1) * stride).name}")
    f.line(f"br label %{head}")
    f.line(f"{done}:")
    f.ret(change)
    return name


def copy_run(module: Module, itemsize: int) -> str:
    """Name of ``void run(to, to_stride, from, from_stride, count)``: a strided run of elements, fast where strides are 1, 0, -1 or 2."""
    name = f"copy_run_{itemsize}"
    if module.has(name):
        return name
    pointers = [("ptr noalias", "to"), ("i64", "to_stride"), ("ptr noalias readonly", "from"), ("i64", "from_stride")]
    f = module.function(name, "void", [*pointers, ("i64", "count")], internal=True, inline="noinline")
    to, to_stride, source, from_stride, count = f.arguments
    kind = _ITEM[itemsize]

    def contiguous() -> list[Value]:
        with f.loop(0, count) as i:
            store_item(f, load_item(f, source.at(kind, i.index), itemsize), to.at(kind, i.index))
        return []

    def repeated() -> list[Value]:
        value = load_item(f, source, itemsize)
        with f.loop(0, count) as i:
            store_item(f, value, to.at(kind, i.index))
        return []

    def strided() -> list[Value]:
        with f.loop(0, count, hints=[NO_VECTOR]) as i:
            value = load_item(f, source.at(kind, i.index * from_stride), itemsize)
            store_item(f, value, to.at(kind, i.index * to_stride))
        return []

    def every(step: int) -> list[Value]:
        with f.loop(0, count) as i:
            store_item(f, load_item(f, source.at(kind, i.index * step), itemsize), to.at(kind, i.index))
        return []

    def others() -> list[Value]:
        f.choose(from_stride.eq(-1), lambda: every(-1), lambda: f.choose(from_stride.eq(2), lambda: every(2), strided))
        return []

    def to_contiguous() -> list[Value]:
        f.choose(from_stride.eq(1), contiguous, lambda: f.choose(from_stride.eq(0) & (count > 0), repeated, others))
        return []

    f.choose(to_stride.eq(1), to_contiguous, strided)
    f.ret()
    return name


def gather(module: Module, itemsize: int) -> str:
    """Name of ``void gather(to, from, begin, end, rank, dims, strides)``.

    Elements ``begin`` to ``end`` in row-major order of a strided tensor, written one after the other. The rank is at least 1.
    """
    name = f"gather_{itemsize}"
    if module.has(name):
        return name
    f = module.function(
        name, "void",
        [("ptr noalias", "to"), ("ptr noalias readonly", "from"), ("i64", "begin"), ("i64", "end"), ("i64", "rank"),
         ("ptr noalias readonly", "dims"), ("ptr noalias readonly", "strides")],
        internal=True, inline="noinline",
    )  # fmt: skip
    to, source, begin, end, rank, dims, strides = f.arguments
    run, step = copy_run(module, itemsize), advance(module)
    kind = _ITEM[itemsize]
    last = rank - 1
    inner, stride = f.load("i64", dims.at("i64", last)), f.load("i64", strides.at("i64", last))
    digits = f.alloca("i64", MAX_RANK)
    start_digits(f, dims, last, f.op("udiv", begin, inner), digits)
    base = dot(f, digits, strides, last)
    first = f.op("urem", begin, inner)
    # one run per turn; the loop counts positions in steps that the body decides, so the index is carried by hand
    runs = f.op("sdiv", end - 1 + (first - begin) + inner, inner)
    with f.loop(0, runs, carried=[begin, first, base], hints=[NO_VECTOR, NO_UNROLL]) as loop:
        position, skip, offset = loop.carried
        count = f.minimum(inner - skip, end - position)
        f.call("void", run, to.at(kind, position - begin), 1, source.at(kind, offset + skip * stride), stride, count)
        moved = f.call("i64", step, dims, last, strides, digits)
        loop.next(position + count, f.index(0), offset + moved)
    f.ret()
    return name
