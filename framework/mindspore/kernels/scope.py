"""What emitting a task needs: the function being written, the memory of values, and the module's shared parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mindspore.ir.sizes import has_sizes
from mindspore.kernels import lower_nest, runtime
from mindspore.kernels.emit import Function, Module
from mindspore.kernels.emit import Value as Lane
from mindspore.kernels.epilogue import Epilogue
from mindspore.kernels.homes import Home, Plan
from mindspore.kernels.modules import Emit, Shared
from mindspore.kernels.nest import Nest
from mindspore.kernels.program import Function as Program
from mindspore.kernels.program import Value
from mindspore.kernels.tasks import Task, copy_nest


@dataclass(frozen=True, slots=True)
class Emitted:
    """A function that others may call: ``int32 name(runtime, constants, frame, parameters..., results...)``."""

    name: str
    frame_bytes: int


class Scope:
    """One function being written: a straight line of tasks. ``apart``: what it runs becomes modules of their own."""

    def __init__(
        self, shared: Shared, f: Function, made: Plan, home: Callable[[Home], Lane], constants: Lane,
        functions: Mapping[Program, Emitted], apart: bool = False,
    ) -> None:  # fmt: skip
        self.shared, self.f, self.made, self.home, self.apart = shared, f, made, home, apart
        self.constants, self.functions = constants, functions
        self.known: dict[Home, Lane] = {}
        self.contexts: dict[tuple[str, int], Lane] = {}

    def pointer(self, value: Value) -> Lane:
        """The memory of a value; computed once, because tasks follow each other in one line."""
        home = self.made.homes[value]
        if home not in self.known:
            self.known[home] = self.home(home)
        return self.known[home]

    def same(self, values: Sequence[Value]) -> tuple[int, ...]:
        """For each value the number of its home, in the order in which homes are met."""
        order: dict[Home, int] = {}
        return tuple(order.setdefault(self.made.homes[v], len(order)) for v in values)

    def merged(self, made: Epilogue) -> Epilogue:
        """`made` with values of one home behind one pointer."""
        same = self.same(made.pointers)
        return made.merged(same) if len(set(same)) < len(same) else made

    def scratch(self, task: Task) -> Lane:
        """The task's own memory."""
        return self.home(Home("arena", self.made.scratch.get(task, 0)))

    def check(self, code: Lane | None) -> None:
        """Leave the function with a code that is not 0."""
        if code is None:
            return
        failed, fine = self.f.fresh("failed"), self.f.fresh("fine")
        self.f.branch(code.ne(0), failed, fine)
        self.f.line(f"{failed}:")
        self.f.ret(code)
        self.f.line(f"{fine}:")

    def poll(self) -> None:
        """Leave the function when the run was cancelled."""
        stop = runtime.cancelled(self.f, self.f["runtime"]).ne(0)
        self.check(self.f.select(stop, self.f.value(runtime.CANCELLED, "i32"), self.f.value(0, "i32")))

    def invoke(self, function: Program, frame: Lane, pointers: Sequence[Lane]) -> None:
        """Run a subgraph's function, leaving this one when it fails."""
        name = self.functions[function].name
        self.check(self.f.call("i32", name, self.f["runtime"], self.constants, frame, *pointers))

    def flag(self, pointer: Lane) -> Lane:
        """A stored boolean as i1."""
        return self.f.load("i8", pointer).ne(0)

    def packed(self, kind: str, values: Sequence[Lane]) -> Lane:
        """Values of 8 bytes stored on the stack until the next call of the same `kind`, so that a long function needs little stack."""
        room = max(8, 1 << (len(values) - 1).bit_length())
        if (kind, room) not in self.contexts:
            self.contexts[kind, room] = self.f.alloca("i64", room)
        context = self.contexts[kind, room]
        for position, value in enumerate(values):
            self.f.store(value, context.at("i64", position))
        return context

    def run_kernel(self, kernel: str, buffers: Sequence[Lane], numbers: Sequence[int]) -> None:
        """Call an ahead-of-time kernel, leaving this function when it fails."""
        f = self.f
        if has_sizes(numbers):
            params = self.packed("params", [f.index(n) for n in numbers])
        else:
            params = Lane(f, "ptr", f.module.array(f"params{'_'.join(map(str, numbers))}", "i64", numbers))
        address = f.load("ptr", f.load("ptr", self.constants).at("ptr", self.shared.kernel(kernel)))
        self.shared.calls += 1
        self.check(f.call("i32", address, f["runtime"], self.packed("buffers", buffers), params))

    def run_units(self, kind: str, key: str, pointers: Sequence[Lane], work: tuple[int, int], emit: Emit) -> None:
        """Run the function of units that `emit` writes, leaving this one when it fails.

        ``work``: the number of units and those of one chunk; less than all go to the thread pool.
        """
        parallel = work[1] < work[0]

        def both(module: Module, name: str) -> None:
            emit(module, name)
            if parallel:
                lower_nest.emit_chunk(module, f"{name}_chunk", name, len(pointers))

        symbol = self.shared.once(kind, f"{key} {parallel}", both, self.apart, "_chunk" if parallel else "")
        self.start(symbol, pointers, work)

    def run_nest(self, nest: Nest, pointers: list[Lane]) -> None:
        """Call the nest's function."""
        work, symbol, sizes = self.shared.started(nest, self.apart)
        self.start(symbol, pointers, work, sizes)

    def copy(self, value: Value, target: Lane) -> None:
        """Copies a whole buffer; a nest reads no pointer for a number that it knows."""
        nest = copy_nest(value)
        if nest is not None:
            known = value.uniform and value.constant is not None
            self.run_nest(nest, [target] if known else [self.pointer(value), target])

    def start(self, symbol: str, pointers: Sequence[Lane], work: tuple[int, int], sizes: Sequence[int] = ()) -> None:
        """Call a function of units, or let the thread pool call the one of a chunk."""
        count, grain = work
        self.shared.calls += 1
        if grain >= count:
            self.f.call("void", symbol, *pointers, 0, count, *sizes)
        else:
            context = self.packed("units", [*pointers, *map(self.f.index, sizes)])
            self.check(lower_nest.in_parallel(self.f, symbol, context, count, grain))
