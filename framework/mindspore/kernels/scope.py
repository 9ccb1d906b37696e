"""What emitting a task needs: the function being written, the memory of values, and the module's shared parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mindspore.kernels import lower_nest, runtime
from mindspore.kernels import nest as nests
from mindspore.kernels.emit import Function, Module
from mindspore.kernels.emit import Value as Lane
from mindspore.kernels.epilogue import Epilogue
from mindspore.kernels.homes import Home, Plan
from mindspore.kernels.nest import Nest
from mindspore.kernels.program import Function as Program
from mindspore.kernels.program import Value
from mindspore.kernels.tasks import Task


@dataclass(frozen=True, slots=True)
class Emitted:
    """A function that others may call: ``int32 name(runtime, constants, frame, parameters..., results...)``."""

    name: str
    frame_bytes: int


class Shared:
    """Parts of one module. ``constants[0]`` at run time is the table of ahead-of-time kernels that the module calls."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.constants: dict[Value, int] = {}
        self.kernels: dict[str, int] = {}
        self.names: dict[str, str] = {}
        self.calls = 0

    def once(self, kind: str, key: str, emit: Callable[[str], None]) -> str:
        """The name of what `key` describes, emitted at its first use."""
        full = f"{kind} {key}"
        if full not in self.names:
            self.names[full] = f"{kind}{len(self.names)}"
            emit(self.names[full])
        return self.names[full]

    def kernel(self, name: str) -> int:
        """The position of an ahead-of-time kernel in the table."""
        return self.kernels.setdefault(name, len(self.kernels))

    def constant(self, value: Value) -> int:
        """The position of a constant among all of them; 0 is the table."""
        return self.constants.setdefault(value, len(self.constants) + 1)


class Scope:
    """One function being written: a straight line of tasks."""

    def __init__(
        self, shared: Shared, f: Function, made: Plan, home: Callable[[Home], Lane], constants: Lane,
        functions: Mapping[Program, Emitted],
    ) -> None:  # fmt: skip
        self.shared, self.f, self.made, self.home = shared, f, made, home
        self.constants, self.functions = constants, functions
        self.known: dict[Home, Lane] = {}
        self.contexts: dict[tuple[str, int], Lane] = {}

    def pointer(self, value: Value) -> Lane:
        """The memory of a value; computed once, because tasks follow each other in one line."""
        home = self.made.homes[value]
        if home not in self.known:
            self.known[home] = self.home(home)
        return self.known[home]

    def merged(self, made: Epilogue) -> Epilogue:
        """`made` with values of one home behind one pointer."""
        homes = [self.made.homes[v] for v in made.pointers]
        order = list(dict.fromkeys(homes))
        return made.merged([order.index(h) for h in homes]) if len(order) < len(homes) else made

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

    def run_units(
        self, kind: str, key: str, pointers: Sequence[Lane], work: tuple[int, int], emit: Callable[[str], None]
    ) -> None:
        """Run the function of units that `emit` writes, leaving this one when it fails.

        ``work``: the number of units and those of one chunk; less than all go to the thread pool.
        """
        (count, grain), shared = work, self.shared
        shared.calls += 1

        def both(name: str) -> None:
            emit(name)
            if grain < count:
                lower_nest.emit_chunk(shared.module, f"{name}_chunk", name, len(pointers))

        name = shared.once(kind, f"{key} {grain < count}", both)
        if grain >= count:
            self.f.call("void", name, *pointers, 0, count)
        else:
            context = self.packed("units", pointers)
            self.check(lower_nest.in_parallel(self.f, f"{name}_chunk", context, count, grain))

    def run_nest(self, nest: Nest, pointers: list[Lane]) -> None:
        """Call the nest's function."""
        work = (lower_nest.units(nest), lower_nest.grain(nest))

        def emit(name: str) -> None:
            lower_nest.emit_units(self.shared.module, name, nest)

        self.run_units("nest", nests.key(nest), pointers, work, emit)
