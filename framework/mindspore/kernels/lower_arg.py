"""Position of the extreme along one dimension."""

from __future__ import annotations

from mindspore.base.dtypes import DType
from mindspore.kernels import lanes
from mindspore.kernels.emit import Function, Module, Value
from mindspore.kernels.program import ArgFold


def key(step: ArgFold) -> str:
    """Equal for steps that compile to the same code."""
    return f"arg {step.kind} {step.space} {_dtype(step)} {step.outputs[0].dtype}"


def _dtype(step: ArgFold) -> DType:
    value = step.reads[0].value
    assert value is not None
    return value.dtype


def emit(module: Module, name: str, step: ArgFold) -> None:
    """``void name(input, output, begin, end)`` over the results of a range."""
    parameters = [("ptr noalias", "x"), ("ptr noalias", "out"), ("i64", "begin"), ("i64", "end")]
    f = module.function(name, "void", parameters, internal=True, inline="noinline")
    _, length, inner = step.space
    with f.loop(f["begin"], f["end"]) as result:
        row = result.index // inner * (length * inner) + result.index % inner
        best = _scan(f, step, f["x"], row)
        out = step.outputs[0].dtype
        found = best.to("trunc", lanes.register_type(out)) if out.itemsize < 8 else best
        lanes.store(f, found, lanes.address(f, f["out"], result.index, out), out)
    f.ret()


def _scan(f: Function, step: ArgFold, x: Value, row: Value) -> Value:
    """The first position of the extreme; NaN counts as more extreme than any number."""
    dtype = _dtype(step)
    first = lanes.load(f, lanes.address(f, x, row, dtype), dtype)
    assert isinstance(first, Value)
    with f.loop(0, step.space[1], carried=[first, f.index(0)]) as loop:
        best, where = loop.carried
        lane = lanes.load(f, lanes.address(f, x, row + loop.index * step.space[2], dtype), dtype)
        assert isinstance(lane, Value)
        better = f.compare("gt" if step.kind == "max" else "lt", lane, best, unsigned=dtype.kind in "bu")
        if dtype.is_floating:
            better = better | (f.compare("ne", lane, lane) & f.compare("eq", best, best))
        loop.next(f.select(better, lane, best), f.select(better, loop.index, where))
    return loop.results[1]
