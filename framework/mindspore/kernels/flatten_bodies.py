"""Bodies of maps: positions as reads, and values made of positions alone written into the bodies that use them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape
from mindspore.base.symbolic import Size
from mindspore.kernels import access as acc
from mindspore.kernels.program import Map, Read, Value
from mindspore.primitives.scalar import Expr, postorder, trace

LONGEST = 8
"""Operations up to which a value made of positions is computed again at each use instead of being stored."""
Recipe = tuple[Expr, tuple[Read, ...]]
Body = Callable[..., Expr]


class Traced(NamedTuple):
    """A body over operands, and whether it reads positions, or symbolic numbers."""

    expr: Expr
    positions: bool
    sizes: bool


def traced(body: Body, operands: tuple[DType, ...], attrs: Mapping[str, Any]) -> Traced:
    """`body` for operands of these types; made once for attributes that are constants."""
    if all(map(_plain, attrs.values())):
        return _traced_once(body, operands, tuple((k, v, repr(v)) for k, v in attrs.items()))
    return _traced(body, operands, attrs)


def _plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_plain, value))
    return value is None or type(value) in (bool, int, float, str) or isinstance(value, DType)


@lru_cache(maxsize=4096)
def _traced_once(body: Body, operands: tuple[DType, ...], attrs: tuple[tuple[str, Any, str], ...]) -> Traced:
    return _traced(body, operands, {k: v for k, v, _ in attrs})


def _traced(body: Body, operands: tuple[DType, ...], attrs: Mapping[str, Any]) -> Traced:
    expr = trace(body, operands, **attrs)
    leaves = [e for e in postorder(expr) if not e.args]
    sizes = any(e.op == "const" and isinstance(e.attr, Size) for e in leaves)
    return Traced(expr, any(e.op == "index" for e in leaves), sizes)


def rewritten(expr: Expr, change: Callable[[Expr], Expr | None]) -> Expr:
    """`expr` with the leaves that `change` gives a new form for; shared parts stay shared."""
    done: dict[int, Expr] = {}
    for current in postorder(expr):
        args = tuple(done[id(a)] for a in current.args)
        if not args:
            done[id(current)] = change(current) or current
        else:
            same = all(a is b for a, b in zip(args, current.args, strict=True))
            done[id(current)] = current if same else Expr(current.op, args, current.dtype, current.attr)
    return done[id(expr)]


def with_positions(expr: Expr, shape: Shape, reads: list[Read]) -> Expr:
    """`expr` with each ``index`` turned into an operand that reads the position; appends those reads."""

    def change(leaf: Expr) -> Expr | None:
        if leaf.op != "index":
            return None
        strides = tuple(int(d == leaf.attr) for d in range(len(shape)))
        reads.append(Read(None, acc.collapsed(shape, strides)))
        return Expr("operand", (), dt.int64, len(reads) - 1)

    return rewritten(expr, change)


def with_sizes(expr: Expr, count: int, reads: list[Read]) -> Expr:
    """`expr` with each symbolic number turned into an operand that reads it at all `count` positions; appends those reads."""

    def change(leaf: Expr) -> Expr | None:
        if leaf.op != "const" or not isinstance(leaf.attr, Size):
            return None
        reads.append(Read(None, acc.collapsed((count,), (0,), leaf.attr)))  # type: ignore[arg-type]
        return Expr("cast", (Expr("operand", (), dt.int64, len(reads) - 1),), leaf.dtype)

    return rewritten(expr, change)


def recipe(step: Map) -> Recipe | None:
    """How to compute the step's only output anew anywhere: a short body of positions and numbers alone.

    Not in half precision, where a stored value has been rounded, and not for symbolic numbers, which not all code can reach.
    """
    if any(isinstance(r.access.offset, Size) for r in step.reads):
        return None
    if len(step.outputs) != 1 or step.outputs[0].dtype in (dt.float16, dt.bfloat16):
        return None
    if any(r.value is not None and not r.value.uniform for r in step.reads) or _operations(step.bodies[0]) > LONGEST:
        return None
    return step.bodies[0], step.reads


def _operations(expr: Expr) -> int:
    """Operations in `expr`, counted up to a little more than `LONGEST`."""
    count, stack = 0, [expr]
    while stack and count <= LONGEST:
        current = stack.pop()
        count += bool(current.args)
        stack.extend(current.args)
    return count


def inlined(
    bodies: Sequence[Expr], reads: Sequence[Read], recipes: Mapping[Value, Recipe]
) -> tuple[list[Expr], list[Read]]:
    """`bodies` over `reads` with the operands that have a recipe written out."""
    if not any(read.value in recipes for read in reads if read.value is not None):
        return list(bodies), list(reads)
    kept: list[Read] = []
    forms: list[Expr | int] = []
    for read in reads:
        known = recipes.get(read.value) if read.value is not None else None
        parts = [acc.compose(read.access, r.access) for r in known[1]] if known is not None else []
        if known is None or None in parts:
            forms.append(len(kept))
            kept.append(read)
            continue
        forms.append(rewritten(known[0], _moved([len(kept) + k for k in range(len(parts))])))
        kept += [Read(r.value, p) for r, p in zip(known[1], parts, strict=True) if p is not None]
    return [rewritten(body, _moved(forms)) for body in bodies], kept


def _moved(forms: Sequence[Expr | int]) -> Callable[[Expr], Expr | None]:
    """Puts `forms` in the place of operands: other operands, or what computes them."""

    def change(leaf: Expr) -> Expr | None:
        if leaf.op != "operand":
            return None
        form = forms[leaf.attr]
        return form if isinstance(form, Expr) else Expr("operand", (), leaf.dtype, form)

    return change
