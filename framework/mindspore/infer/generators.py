"""Generators: the activation of a function with ``yield`` waits on a thread of its own between two elements.

Only one thread runs at a time. What of the machine belongs to the waiting activation (its frames, layers of the heap and meaning of the
ends of loops) is put away while it waits. It goes on in the scope in which it began, so that its values are there where it uses them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from mindspore.infer import language as lang
from mindspore.infer.iteration import following
from mindspore.infer.machine import Fold, Machine, dispatchers, evaluates
from mindspore.infer.structure import describe, elements
from mindspore.infer.values import NONE, Abstract, Frame, Generator, Iterator, Known
from mindspore.ir.graph import Apply

MAX_ELEMENTS = 20_000
THREAD = "generator"
"""The name of the threads on which activations wait."""
_CONDITIONAL = (
    "a generator goes on where it was begun: 'yield' and what takes its elements cannot stand in a branch or loop that is decided at run "
    "time. Make a list of the elements first, or return one."
)


class _AbandonedError(BaseException):
    """Ends an activation whose other elements nobody takes."""


class Activation:
    """A generator function that runs up to its next ``yield`` each time it is resumed."""

    def __init__(self, machine: Machine, body: Callable[[], Abstract]) -> None:
        self.machine, self.body = machine, body
        self.scopes = list(map(id, machine.emitter.scopes))
        self.count = 0
        self.returned: Abstract = NONE
        self.done = False
        self.turn, self.answer = threading.Semaphore(0), threading.Semaphore(0)
        self.thread: threading.Thread | None = None
        self.value: Abstract | None = None
        self.error: BaseException | None = None
        self.abandoned = False
        self.frames: list[Frame] = []
        self.layers = 0
        self.fold: Fold | None = None
        self.base = (0, 0, 0)

    def resume(self) -> Abstract | None:
        """The next element; None at the end."""
        if self.done:
            return None
        machine = self.machine
        if list(map(id, machine.emitter.scopes)) != self.scopes:
            raise TypeError(_CONDITIONAL)
        place, fold = machine.emitter.location, machine.fold
        self.base = (len(machine.stack), len(machine.heap.layers), len(machine.tries))
        machine.stack += self.frames
        for _ in range(self.layers):
            machine.heap.push()
        machine.fold = self.fold
        machine.running.append(self)
        self._switch()
        machine.running.pop()
        machine.fold, machine.emitter.location = fold, place
        if self.error is not None:
            self.done = True
            raise self.error
        return self.value

    def _switch(self) -> None:
        if self.thread is None:
            self.thread = threading.Thread(target=self._run, name=THREAD, daemon=True)
            self.thread.start()
        else:
            self.turn.release()
        self.answer.acquire()

    def _run(self) -> None:
        try:
            self.returned = self.body()
        except BaseException as error:  # it belongs to whoever takes the elements
            self.error = error
        self.value, self.done = None, True
        self.answer.release()

    def hand_out(self, value: Abstract) -> None:
        """Waits after the element `value`; on the thread of this activation."""
        machine = self.machine
        stack, layers, tries = self.base
        if list(map(id, machine.emitter.scopes)) != self.scopes or len(machine.tries) != tries:
            raise TypeError(
                _CONDITIONAL
                if len(machine.tries) == tries
                else "'yield' inside try or with is not supported in a graph."
            )
        self.frames = machine.stack[stack:]
        del machine.stack[stack:]
        self.layers = len(machine.heap.layers) - layers
        while len(machine.heap.layers) > layers:
            machine.heap.merge(machine.heap.pop())
        self.fold = machine.fold
        self.count += 1
        self.value = value
        self.answer.release()
        self.turn.acquire()
        if self.abandoned:
            raise _AbandonedError

    def abandon(self) -> None:
        """Ends the thread."""
        if self.thread is not None and self.thread.is_alive():
            self.abandoned = True
            self.turn.release()
            self.thread.join()


@evaluates(lang.GENERATE)
def generate(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    function, *given = machine.values(frame, node.inputs)
    activation = Activation(machine, lambda: machine.call(function, tuple(given)))
    machine.activations.append(activation)
    made = Generator(activation)
    machine.heap.set(made, (Known(0),))
    return made


@evaluates(lang.YIELD)
def yield_(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    machine.running[-1].hand_out(machine.value(frame, node.inputs[0]))
    return NONE


@evaluates(lang.YIELD_FROM)
def yield_from(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    source = machine.value(frame, node.inputs[0])
    if isinstance(source, Generator | Iterator):
        while (found := following(machine, source)) is not None:
            machine.running[-1].hand_out(found)
            frame.node = node
    else:
        for each in elements(machine, source):
            machine.running[-1].hand_out(each)
            frame.node = node
    return source.activation.returned if isinstance(source, Generator) else NONE


def taken(machine: Machine, generator: Any) -> Abstract | None:
    """The next element of a generator; None at the end."""
    activation: Activation = generator.activation
    (count,) = machine.heap.get(generator)
    if count.value != activation.count:
        raise TypeError(_CONDITIONAL)
    found = activation.resume()
    machine.heap.set(generator, (Known(activation.count),))
    return found


def drained(machine: Machine, generator: Any) -> Any:
    """All elements that are left."""
    found: list[Abstract] = []
    while (each := taken(machine, generator)) is not None:
        found.append(each)
        if len(found) > MAX_ELEMENTS:
            raise ValueError(
                f"the {describe(generator)} gave {MAX_ELEMENTS} elements while compiling and does not end."
            )
    return tuple(found)


dispatchers["next of generator"] = taken  # type: ignore[assignment]
dispatchers["drain generator"] = drained
