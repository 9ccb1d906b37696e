"""Going back to where the machine was, after an evaluation that failed."""

from __future__ import annotations

from mindspore.infer.machine import Machine


class Mark:
    """The state of `machine` apart from what is on the heap's layers of now."""

    __slots__ = ("branches", "fold", "layers", "location", "node", "scopes", "stack", "tries")

    def __init__(self, machine: Machine) -> None:
        self.stack, self.layers, self.scopes = len(machine.stack), len(machine.heap.layers), len(machine.emitter.scopes)
        self.location, self.fold, self.branches = machine.emitter.location, machine.fold, machine.branches
        self.tries = len(machine.tries)
        self.node = machine.stack[-1].node if machine.stack else None

    def restore(self, machine: Machine) -> None:
        """Leaves the calls, scopes and branches entered since; forgets writes to the layers pushed since."""
        del machine.stack[self.stack :], machine.heap.layers[self.layers :], machine.emitter.scopes[self.scopes :]
        del machine.tries[self.tries :]
        machine.emitter.location, machine.fold, machine.branches = self.location, self.fold, self.branches
        if machine.stack:
            machine.stack[-1].node = self.node
