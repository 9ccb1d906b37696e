"""A typed graph as kernels for a GPU, started one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from mindspore.ir.graph import Graph
from mindspore.ir.sizes import has_sizes
from mindspore.kernels import lower_moves
from mindspore.kernels.emit import Module
from mindspore.kernels.flatten import flatten
from mindspore.kernels.gpu import nests, products
from mindspore.kernels.gpu.threads import BLOCK
from mindspore.kernels.nest import Nest
from mindspore.kernels.program import Boxes, Value
from mindspore.kernels.repeats import Repeats
from mindspore.kernels.target import Gpu
from mindspore.kernels.tasks import RunNest, RunProduct, RunStep, Task, tasks_of


@dataclass(frozen=True, slots=True)
class Launch:
    """One start of a kernel: `blocks` blocks of `threads` threads, and the buffer behind each of its pointers."""

    kernel: str
    blocks: int
    buffers: tuple[Value, ...]
    threads: int = BLOCK


@dataclass(frozen=True, slots=True)
class Lowered:
    """Kernels of a graph.

    Attributes:
        text: one LLVM module; `target.compile_assembly` makes PTX of it.
        launches: in order; buffers are parameters, constants, results and what lies between.
        parameters, results: buffers that the caller gives.
    """

    text: str
    launches: tuple[Launch, ...]
    parameters: tuple[Value, ...]
    results: tuple[Value, ...]

    @property
    def kernels(self) -> list[str]:
        """Names of the kernels, each once."""
        return list(dict.fromkeys(each.kernel for each in self.launches))


def lower(graph: Graph, gpu: Gpu) -> Lowered:
    """Lower a closed typed graph of element-wise operators, reductions, matrix products and moves with fixed sizes.

    Raises:
        TypeError: the graph holds something else, which has no kernels for GPUs.
    """
    program = flatten(graph, {})
    if any(has_sizes((p.size,)) for p in program.parameters):
        raise TypeError(
            f"graph {graph.name}: kernels for GPUs need fixed sizes, got symbolic ones: compile for each size."
        )
    return lower_tasks(tasks_of(program, Repeats(symbolic=False)), program.parameters, program.results, gpu)


def lower_tasks(tasks: Iterable[Task], parameters: Sequence[Value], results: Sequence[Value], gpu: Gpu) -> Lowered:
    """Lower what runs one after the other."""
    kernels = _Kernels(Module(gpu), gpu)
    for task in tasks:
        kernels.add(task)
    return Lowered(kernels.module.text(), tuple(kernels.launches), tuple(parameters), tuple(results))


class _Kernels:
    """The kernels of one module. Equal nests and products are one kernel."""

    def __init__(self, module: Module, gpu: Gpu) -> None:
        self.module, self.gpu = module, gpu
        self.launches: list[Launch] = []
        self.names: dict[str, str] = {}

    def add(self, task: Task) -> None:
        if isinstance(task, RunNest):
            self.nest(task.nest, task.pointers)
        elif isinstance(task, RunProduct):
            self.product(task)
        elif isinstance(task, RunStep) and isinstance(task.step, Boxes):
            self.boxes(task.step)
        else:
            what = type(task.step).__name__ if isinstance(task, RunStep) else task
            raise TypeError(f"no kernels for GPUs: expected maps, folds, matrix products and boxes, got {what}.")

    def nest(self, nest: Nest, pointers: Sequence[Value]) -> None:
        name = self.once("nest", repr(nest), lambda name: nests.emit(self.module, name, nest))
        self.launches.append(Launch(name, nests.blocks(nest, self.gpu.warp), tuple(pointers)))

    def product(self, task: RunProduct) -> None:
        product, made = task.product, task.epilogue
        key = repr((product.size, product.steps, product.batch, product.outputs[0].dtype, made.key))
        name = self.once("product", key, lambda name: products.emit(self.module, name, product, made))
        operands = [r.value for r in product.reads if r.value is not None]
        self.launches.append(Launch(name, products.blocks(product), (*operands, *made.pointers)))

    def boxes(self, step: Boxes) -> None:
        output = step.outputs[0]
        fill = lower_moves.fill_nest(step)
        if fill is not None:
            self.nest(fill, [output])
        for box in step.copies:
            value = step.reads[box.input].value
            assert value is not None
            self.nest(lower_moves.box_nest(box, output.dtype), [value, output])

    def once(self, kind: str, key: str, emit: Callable[[str], None]) -> str:
        """The kernel that `key` describes, written at its first use."""
        if key not in self.names:
            self.names[key] = f"{kind}{len(self.names)}"
            emit(self.names[key])
        return self.names[key]
