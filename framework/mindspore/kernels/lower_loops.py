"""Loops of run-time length: native loops around the functions of condition and body.

A stash lies in one block of memory that the call owns, element behind element, so that the body reads and writes its elements in place. A
loop with a condition lets the blocks of the stashes that it makes grow; the others know how many elements there will be.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore.ir.loops import FORWARD
from mindspore.kernels import runtime
from mindspore.kernels.emit import Value as Lane
from mindspore.kernels.program import Function, takes_memory
from mindspore.kernels.program import Loop as Step
from mindspore.kernels.scope import Scope

FLAG_BYTES = 64
"""Room for a loop's condition, in front of the frame that condition and body share."""
FIRST_BYTES = 64
"""With how much memory the largest of a loop's stashes begins: little, for a loop inside a loop makes one in each turn."""


def emit(scope: Scope, step: Step, frame: Lane, reads: Sequence[Lane], outputs: Sequence[Lane]) -> None:
    """The state lies in the outputs' memory all the time: the body overwrites it where its own plan found that safe."""
    f, count = scope.f, len(step.carried)
    state = _started(scope, step, reads, outputs)
    flag, inner = frame, frame.at("i8", FLAG_BYTES)
    turns = f.alloca("i64")
    f.store(f.index(0), turns)
    stashes = _Stashes(scope, step, reads[count:], outputs[len(outputs) - len(step.made) :])
    again, body, done = f.fresh("again"), f.fresh("body"), f.fresh("done")
    f.label(again)
    scope.poll()
    turn = f.load("i64", turns)
    if step.condition is None:
        going = turn < stashes.length
    else:
        _frugal(scope, takes_memory(step.condition), step.condition, inner, [*state, flag])
        going = scope.flag(flag)
    f.branch(going, body, done)
    f.line(f"{body}:")
    stashes.make_room(turn)
    garbage = takes_memory(step.body) and not step.escapes
    _frugal(scope, garbage, step.body, inner, [*state, *stashes.elements(turn)])
    f.store(turn + 1, turns)
    f.line(f"br label %{again}")
    f.line(f"{done}:")
    stashes.finish(turn)


class _Stashes:
    """The stashes that a loop reads, and those that it makes while it runs. ``length``: elements of those that are read."""

    length: Lane

    def __init__(self, scope: Scope, step: Step, read: Sequence[Lane], made: Sequence[Lane]) -> None:
        self.scope, self.f, self.step, self.made = scope, scope.f, step, made
        self.read_bytes, self.made_bytes = step.element_bytes
        self.blocks = [self.f.alloca("ptr") for _ in made]
        self.room = self.f.alloca("i64")
        self.f.store(self.f.index(0), self.room)
        for block in self.blocks:
            self.f.store(runtime.null(self.f), block)
        if step.condition is None:
            self.starts = [self.f.load("ptr", pointer) for pointer in read]
            self.length = self.f.load("i64", read[0].at("i64", 1))
            with self.f.when(self.length > 0):
                self._grow(self.f.index(0), self.length)

    def make_room(self, turn: Lane) -> None:
        """Where the number of turns is not known, room for one more element."""
        if self.step.condition is None or not any(self.made_bytes):
            return
        room = self.f.load("i64", self.room)
        with self.f.when(turn.eq(room)):
            first = max(1, FIRST_BYTES // max(self.made_bytes))
            wanted = self.f.maximum(room * 2, first)
            self._grow(turn, wanted)
            self.f.store(wanted, self.room)

    def _grow(self, used: Lane, wanted: Lane) -> None:
        f = self.f
        for block, nbytes in zip(self.blocks, self.made_bytes, strict=True):
            if nbytes:
                memory = runtime.grow(f, f["runtime"], f.load("ptr", block), used * nbytes, wanted * nbytes)
                f.store(memory, block)
                exists = runtime.exists(f, memory)
                self.scope.check(f.select(exists, f.value(0, "i32"), f.value(runtime.NO_MEMORY, "i32")))

    def elements(self, turn: Lane) -> list[Lane]:
        """Where this turn's elements lie: those that the body reads, then those that it writes."""
        found = []
        if self.step.stashes:
            parts = zip(self.starts, self.read_bytes, self.step.stashes, strict=True)
            found += [self._element(start, nbytes, turn, direction) for start, nbytes, direction in parts]
        for block, nbytes, direction in zip(self.blocks, self.made_bytes, self.step.made, strict=True):
            found.append(self._element(self.f.load("ptr", block), nbytes, turn, direction))
        return found

    def _element(self, start: Lane, nbytes: int, turn: Lane, direction: int) -> Lane:
        place = turn if direction == FORWARD else self.length - turn - 1
        return start.at("i8", place * nbytes)

    def finish(self, turns: Lane) -> None:
        """What the loop made, as values."""
        for block, made in zip(self.blocks, self.made, strict=True):
            self.f.store(self.f.load("ptr", block), made)
            self.f.store(turns, made.at("i64", 1))


def _frugal(scope: Scope, garbage: bool, function: Function, frame: Lane, pointers: Sequence[Lane]) -> None:
    """Run `function`; afterwards free the stashes that it left, when they are `garbage`."""
    f = scope.f
    mark = runtime.mark(f, f["runtime"]) if garbage else None
    scope.invoke(function, frame, pointers)
    if mark is not None:
        runtime.rewind(f, f["runtime"], mark)


def _started(scope: Scope, step: Step, reads: Sequence[Lane], outputs: Sequence[Lane]) -> list[Lane]:
    """The memory of the state, which now holds its first values."""
    count = len(step.carried)
    for read, carried in zip(step.reads[:count], step.carried, strict=True):
        assert read.value is not None
        if carried is not None and scope.pointer(read.value) is not outputs[carried]:
            scope.copy(read.value, outputs[carried])
    return [read if c is None else outputs[c] for read, c in zip(reads[:count], step.carried, strict=True)]
