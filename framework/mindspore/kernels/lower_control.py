"""Calls, branches, loops and effects: native code around the functions of subgraphs."""

from __future__ import annotations

from collections.abc import Sequence

from mindspore.kernels import lower_loops, runtime
from mindspore.kernels.emit import Value as Lane
from mindspore.kernels.program import Branch, Emit, Invoke, Loop, Step, Value
from mindspore.kernels.scope import Scope
from mindspore.kernels.tasks import RunStep


def own_bytes(step: Step) -> int:
    """What a step needs besides the frames of the functions it runs."""
    return lower_loops.FLAG_BYTES if isinstance(step, Loop) else 0


def emit(scope: Scope, task: RunStep, step: Invoke | Branch | Loop | Emit) -> None:
    frame = scope.scratch(task)
    outputs = [scope.pointer(o) for o in step.outputs]
    reads = [scope.pointer(_value(r.value)) for r in step.reads]
    if isinstance(step, Emit):
        scope.check(runtime.emit(scope.f, scope.f["runtime"], step.site, len(reads), scope.packed("emit", reads)))
    elif isinstance(step, Invoke):
        scope.invoke(step.function, frame, [*reads, *outputs])
    elif isinstance(step, Branch):
        _branch(scope, step, frame, reads, outputs)
    else:
        lower_loops.emit(scope, step, frame, reads, outputs)


def _value(value: Value | None) -> Value:
    assert value is not None
    return value


def _branch(scope: Scope, step: Branch, frame: Lane, reads: Sequence[Lane], outputs: Sequence[Lane]) -> None:
    f = scope.f
    then, other, done = f.fresh("then"), f.fresh("else"), f.fresh("done")
    f.branch(scope.flag(reads[0]), then, other)
    for label, function in zip((then, other), step.functions, strict=True):
        f.line(f"{label}:")
        scope.invoke(function, frame, [*reads[1:], *outputs])
        f.line(f"br label %{done}")
    f.line(f"{done}:")
