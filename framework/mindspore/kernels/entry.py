"""Functions of a program as LLVM functions: one entry for the graph, one function for each subgraph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count

from mindspore.base.shapes import size
from mindspore.kernels import (
    bounds,
    chains,
    lower_arg,
    lower_boxes,
    lower_chain,
    lower_control,
    lower_gemm,
    lower_moves,
    lower_nest,
    lower_products,
    lower_put,
    runtime,
    times,
)
from mindspore.kernels.emit import Function as Emitting
from mindspore.kernels.emit import Module
from mindspore.kernels.emit import Value as Lane
from mindspore.kernels.homes import Home, Plan, plan
from mindspore.kernels.modules import Shared
from mindspore.kernels.program import (
    ArgFold,
    Boxes,
    Branch,
    Check,
    Emit,
    Function,
    Invoke,
    Kernels,
    Loop,
    Pack,
    Put,
    Unpack,
    called,
    recursive,
)
from mindspore.kernels.repeats import Repeats
from mindspore.kernels.scope import Emitted, Scope
from mindspore.kernels.tasks import RunNest, RunProduct, RunStep, Task, tasks_of


class Functions:
    """Emits programs into the module of `shared`, each once."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.emitted: dict[Function, Emitted] = {}
        self.recursive: set[Function] = set()
        self.numbers = count()
        self.repeats = Repeats(shared.symbolic)

    def entry(self, program: Function, name: str) -> int:
        """``int32 name(runtime, slots)`` for the whole graph; gives the bytes of its arena."""
        self.recursive = recursive(program)
        made = self.plan(program)
        f = self.shared.module.function(name, "i32", [("ptr", "runtime"), ("ptr", "slots")])
        results, constants = len(program.parameters), len(program.parameters) + len(program.results)
        starts = {"parameter": 0, "result": results, "constant": constants}

        def pointer(home: Home) -> Lane:
            if home.kind == "arena":
                return arena.at("i8", home.index)
            return f.load("ptr", f["slots"].at("ptr", starts[home.kind] + home.index))

        first = f["slots"].at("ptr", constants)
        f.atoms = self.atoms(f, first) if self.shared.symbolic else None
        arena = f.load("ptr", f["slots"].at("ptr", constants + 1 + len(self.shared.constants)))
        self.run(Scope(self.shared, f, made, pointer, first, self.emitted, apart=True), table=self.table(program))
        return made.arena_bytes

    def table(self, program: Function) -> Callable[[str], int] | None:
        """Gives the number of the effect that ends the time of what a label says; None when no times are asked for."""
        if not times.wanted():
            return None
        made = times.table(program.name)

        def number(label: str) -> int:
            program.sites.append(made.site(label))
            return len(program.sites) - 1

        return number

    def atoms(self, f: Emitting, constants: Lane) -> Callable[[], Lane]:
        """Gives the address of the values of symbolic sizes in the function `f`."""
        position = self.shared.constant(self.shared.atoms)
        return lambda: f.load("ptr", constants.at("ptr", position))

    def plan(self, program: Function) -> Plan:
        """Tasks and homes of a program, with the frames of what it calls."""
        tasks = tasks_of(program, self.repeats)
        if not self.shared.symbolic:
            tasks = chains.chained(tasks, set(program.results), {program.results[k] for k in program.updates})
        for task in tasks:
            if isinstance(task, RunStep):
                frames = [self.function(c).frame_bytes for c in called(task.step)]
                task.scratch = max(frames, default=0) + lower_control.own_bytes(task.step)
            elif isinstance(task, RunProduct):
                task.scratch = lower_gemm.scratch_bytes(task)
        made = plan(program, tasks, self.shared.constant)
        for task in tasks:
            if isinstance(task, chains.RunChain):
                made.homes.update(lower_chain.homes(task))
        return made

    def function(self, program: Function) -> Emitted:
        """The function of a subgraph, emitted at its first use."""
        if program not in self.emitted:
            name = f"graph{next(self.numbers)}"
            if program in self.recursive:
                self.emitted[program] = Emitted(name, 0)
                self.subgraph(program, name)
            else:
                self.emitted[program] = Emitted(name, self.subgraph(program, name))
        return self.emitted[program]

    def subgraph(self, program: Function, name: str) -> int:
        """Emits a function; gives the bytes of its frame. One that calls itself takes its frame itself."""
        made = self.plan(program)
        names = [f"a{i}" for i in range(len(program.parameters))]
        names += [f"r{i}" for i in range(len(program.results)) if i not in program.updates]
        parameters = [("ptr", p) for p in ("runtime", "constants", "frame", *names)]
        f = self.shared.module.function(name, "i32", parameters, internal=True)
        arguments = dict(zip((p for _, p in parameters), f.arguments, strict=True))

        def pointer(home: Home) -> Lane:
            if home.kind == "arena":
                return arguments["frame"].at("i8", home.index)
            if home.kind == "constant":
                return f.load("ptr", arguments["constants"].at("ptr", home.index))
            return arguments[f"{home.kind[0].replace('p', 'a')}{home.index}"]

        f.atoms = self.atoms(f, arguments["constants"]) if self.shared.symbolic else None
        scope = Scope(self.shared, f, made, pointer, arguments["constants"], self.emitted)
        if program in self.recursive:
            arguments["frame"] = _entered(scope, program, name, made.arena_bytes)
        self.run(scope, program in self.recursive)
        return made.arena_bytes

    def run(self, scope: Scope, leave: bool = False, table: Callable[[str], int] | None = None) -> None:
        """Emit all tasks and the normal end."""
        f = scope.f

        def mark(task: Task | None) -> None:
            if table is not None:  # a label looks at sizes, which code for all sizes must not do
                label = "" if task is None else times.label(task)
                scope.check(runtime.emit(f, f["runtime"], table(label), 0, runtime.null(f)))

        mark(None)
        for task in scope.made.tasks:
            _TASKS[type(task)](scope, task)
            mark(task)
        if leave:
            runtime.leave(scope.f, scope.f["runtime"])
        scope.f.ret(scope.f.value(0, "i32"))


def _entered(scope: Scope, program: Function, name: str, frame_bytes: int) -> Lane:
    """The frame of a function that calls itself; the function is left when there is none, or the run was cancelled."""
    f = scope.f
    scope.poll()
    place = f"{program.place}, in {program.name}\n" if program.place else ""
    frame = runtime.enter(f, f["runtime"], f.index(frame_bytes), f"{place}{program.name}", f"name_of_{name}")
    exists = runtime.exists(f, frame)
    scope.check(f.select(exists, f.value(0, "i32"), f.value(runtime.TOO_DEEP, "i32")))
    return frame


def _nest(scope: Scope, task: Task) -> None:
    assert isinstance(task, RunNest)
    same = scope.same(task.pointers)
    pointers = [scope.pointer(task.pointers[same.index(k)]) for k in range(len(set(same)))]
    scope.run_nest(scope.shared.merged(task.nest, same), pointers)


def _product(scope: Scope, task: Task) -> None:
    assert isinstance(task, RunProduct)
    way = lower_gemm if lower_gemm.suits(task) else lower_products
    way.emit(scope, task)


def _chain(scope: Scope, task: Task) -> None:
    assert isinstance(task, chains.RunChain)
    lower_chain.emit(scope, task)


def _step(scope: Scope, task: Task) -> None:
    assert isinstance(task, RunStep)
    if isinstance(task.step, Boxes):
        _boxes(scope, task.step)
    elif isinstance(task.step, Put):
        lower_put.emit(scope, task.step)
    elif isinstance(task.step, Check):
        _check(scope, task.step)
    elif isinstance(task.step, Kernels):
        _kernels(scope, task.step)
    elif isinstance(task.step, ArgFold):
        _arg_fold(scope, task.step)
    elif isinstance(task.step, Pack | Unpack):
        lower_boxes.emit(scope, task.step)
    else:
        assert isinstance(task.step, Invoke | Branch | Loop | Emit)
        lower_control.emit(scope, task, task.step)


def _boxes(scope: Scope, step: Boxes) -> None:
    output = scope.pointer(step.outputs[0])
    fill = lower_moves.fill_nest(step)
    if fill is not None:
        scope.run_nest(fill, [output])
    for box in step.copies:
        value = step.reads[box.input].value
        assert value is not None
        scope.run_nest(lower_moves.box_nest(box, step.outputs[0].dtype), [scope.pointer(value), output])


def _kernels(scope: Scope, step: Kernels) -> None:
    values = [*(r.value for r in step.reads if r.value is not None), *step.outputs]
    for call in step.calls:
        scope.run_kernel(call.kernel, [scope.pointer(values[b]) for b in call.buffers], call.params)


def _arg_fold(scope: Scope, step: ArgFold) -> None:
    value, output = step.reads[0].value, step.outputs[0]
    assert value is not None
    work, count = 3 * size(step.rows), lower_arg.units(step)
    grain = count if work < lower_nest.PARALLEL_FROM else max(1, count * lower_nest.GRAIN // work)

    def emit(module: Module, name: str) -> None:
        lower_arg.emit(module, name, step)

    pointers = [scope.pointer(value), scope.pointer(output)]
    scope.run_units("arg", lower_arg.key(step), pointers, (count, grain), emit)


def _check(scope: Scope, step: Check) -> None:
    value = step.reads[0].value
    assert value is not None
    symbol = scope.shared.once("check", "", bounds.emit_check, scope.apart)
    numbers = value.size, step.bound, -1 if step.place is None else step.place
    scope.check(scope.f.call("i32", symbol, scope.f["runtime"], scope.pointer(value), *numbers))


_TASKS: Mapping[type[Task], Callable[[Scope, Task], None]] = {
    RunNest: _nest, RunProduct: _product, chains.RunChain: _chain, RunStep: _step,
}  # fmt: skip
