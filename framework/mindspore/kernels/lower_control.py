"""Calls, branches and loops: native code around the functions of subgraphs."""

from __future__ import annotations

from collections.abc import Sequence

from mindspore.kernels.emit import Value as Lane
from mindspore.kernels.program import Branch, Function, Invoke, Loop, Step, Value
from mindspore.kernels.scope import Scope
from mindspore.kernels.tasks import RunStep, copy_nest

FLAG_BYTES = 64
"""Room for a loop's condition, in front of the frame that condition and body share."""
CANCEL = 7
"""Position in ``struct Runtime``."""
CANCELLED = 125
"""The code by which the runtime knows a cancelled run."""


def called(step: Step) -> Sequence[Function]:
    """The functions that a step may run."""
    if isinstance(step, Invoke):
        return (step.function,)
    if isinstance(step, Branch):
        return step.functions
    return (step.condition, step.body) if isinstance(step, Loop) else ()


def own_bytes(step: Step) -> int:
    """What a step needs besides the frames of the functions it runs."""
    return FLAG_BYTES if isinstance(step, Loop) else 0


def emit(scope: Scope, task: RunStep, step: Invoke | Branch | Loop) -> None:
    frame = scope.scratch(task)
    outputs = [scope.pointer(o) for o in step.outputs]
    reads = [scope.pointer(_value(r.value)) for r in step.reads]
    if isinstance(step, Invoke):
        _call(scope, step.function, frame, [*reads, *outputs])
    elif isinstance(step, Branch):
        _branch(scope, step, frame, reads, outputs)
    else:
        _loop(scope, step, frame, reads, outputs)


def _value(value: Value | None) -> Value:
    assert value is not None
    return value


def _call(scope: Scope, function: Function, frame: Lane, pointers: Sequence[Lane]) -> None:
    made = scope.functions[function]
    runtime = scope.f["runtime"]
    scope.check(scope.f.call("i32", made.name, runtime, scope.constants, frame, *pointers))


def _flag(scope: Scope, pointer: Lane) -> Lane:
    return scope.f.load("i8", pointer).ne(0)


def _branch(scope: Scope, step: Branch, frame: Lane, reads: Sequence[Lane], outputs: Sequence[Lane]) -> None:
    f = scope.f
    then, other, done = f.fresh("then"), f.fresh("else"), f.fresh("done")
    f.branch(_flag(scope, reads[0]), then, other)
    for label, function in zip((then, other), step.functions, strict=True):
        f.line(f"{label}:")
        _call(scope, function, frame, [*reads[1:], *outputs])
        f.line(f"br label %{done}")
    f.line(f"{done}:")


def _loop(scope: Scope, step: Loop, frame: Lane, reads: Sequence[Lane], outputs: Sequence[Lane]) -> None:
    """The state lies in the outputs' memory all the time: the body overwrites it where its own plan found that safe."""
    f = scope.f
    state = [read if c is None else outputs[c] for read, c in zip(reads, step.carried, strict=True)]
    for read, carried in zip(step.reads, step.carried, strict=True):
        if carried is not None and scope.pointer(_value(read.value)) is not outputs[carried]:
            _start(scope, _value(read.value), outputs[carried])
    flag, inner = frame, frame.at("i8", FLAG_BYTES)
    again, body, done = f.fresh("again"), f.fresh("body"), f.fresh("done")
    f.label(again)
    _poll(scope)
    _call(scope, step.condition, inner, [*state, flag])
    f.branch(_flag(scope, flag), body, done)
    f.line(f"{body}:")
    _call(scope, step.body, inner, state)
    f.line(f"br label %{again}")
    f.line(f"{done}:")


def _start(scope: Scope, first: Value, state: Lane) -> None:
    """Puts the first value of a state into its memory; a nest reads no pointer for a number that it knows."""
    nest = copy_nest(first)
    if nest is not None:
        known = first.uniform and first.constant is not None
        scope.run_nest(nest, [state] if known else [scope.pointer(first), state])


def _poll(scope: Scope) -> None:
    """Leave the function when the run was cancelled."""
    f = scope.f
    cancel = f.load("ptr", f["runtime"].at("i64", CANCEL))
    stop = f.emit("i32", f"load volatile i32, {cancel}, align 4").ne(0)
    scope.check(f.select(stop, f.value(CANCELLED, "i32"), f.value(0, "i32")))
