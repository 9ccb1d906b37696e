"""Matrix products by the ahead-of-time kernel, with the maps that follow run on each finished tile."""

from __future__ import annotations

from collections.abc import Sequence

from mindspore.base import dtypes as dt
from mindspore.ir.sizes import has_sizes
from mindspore.kernels import catalog, epilogue, gemm, lanes, runtime
from mindspore.kernels.emit import NO_VECTOR, Module
from mindspore.kernels.emit import Value as Lane
from mindspore.kernels.epilogue import Epilogue
from mindspore.kernels.program import Product
from mindspore.kernels.scope import Scope
from mindspore.kernels.tasks import RunProduct

TILED = (dt.float32, dt.float64)
"""Types whose kernel calls back for each finished tile."""
PACKED = (*TILED, dt.float16, dt.bfloat16)
WORTH_PACKING = 1 << 9
"""Multiplications from which packing and tiles pay off; with symbolic sizes they are always used, for their code takes any."""
CALLBACK = (("ptr", "context"), ("ptr", "tile"), *(("i64", n) for n in ("ld", "row", "column", "rows", "columns")))


def suits(task: RunProduct) -> bool:
    """Whether the ahead-of-time kernel is the better way."""
    dtype = task.product.outputs[0].dtype
    worth = has_sizes(task.product.size) or task.product.work >= WORTH_PACKING
    return worth and dtype in (TILED if task.maps else PACKED)


def scratch_bytes(task: RunProduct) -> int:
    """Arena memory for a product that no output can hold."""
    return task.product.outputs[0].nbytes if suits(task) and task.holder is None else 0


def emit(scope: Scope, task: RunProduct) -> None:
    """Call the kernel."""
    product = task.product
    target = scope.pointer(task.holder) if task.holder is not None else scope.scratch(task)
    call(scope, task, [*_operands(scope, product), target], [scope.pointer(v) for v in task.epilogue.pointers])


def call(scope: Scope, task: RunProduct, buffers: Sequence[Lane], pointers: Sequence[Lane]) -> None:
    """Call the kernel on operands and result; ``pointers`` are those of the epilogue."""
    product = task.product
    callback = _callback(scope, task, pointers) if task.maps else []
    kernel = catalog.define(gemm.spec(product.outputs[0].dtype))
    numbers = _params(product, gemm.EPILOGUE if task.maps else 0)
    scope.run_kernel(kernel, [*buffers, *callback], numbers)


def _operands(scope: Scope, product: Product) -> list[Lane]:
    """First elements of both operands."""
    found = []
    for read, start in zip(product.reads, product.batch.starts, strict=True):
        assert read.value is not None
        found.append(lanes.address(scope.f, scope.pointer(read.value), start, read.value.dtype))
    return found


def _params(product: Product, flags: int) -> tuple[int, ...]:
    m, n, k = product.size
    a, b = product.steps
    batch = product.batch
    listed = (batch.sizes, batch.left, batch.right) if batch.sizes else ((1,), (0,), (0,))
    return (flags, m, n, k, *a, *b, n, batch.count, len(listed[0]), *(v for part in listed for v in part))


def _callback(scope: Scope, task: RunProduct, pointers: Sequence[Lane]) -> list[Lane]:
    """The epilogue's function and its context."""
    same = scope.same(task.epilogue.pointers)
    distinct = [same.index(k) for k in range(len(set(same)))]
    values = [task.epilogue.pointers[k] for k in distinct]
    over = values.index(task.holder) if task.holder in values else -1

    def name() -> str:
        made = scope.merged(task.epilogue).any_width()

        def write(module: Module, name: str) -> None:
            _tile_function(module, f"{name}_tile", made, over)
            _entry(module, name, len(made.pointers))

        return scope.shared.once("epilogue", repr((made.key, over, made.items[0].dtype)), write, scope.apart)

    symbol = scope.shared.named(task.epilogue.items, (same, over, scope.apart), name)
    width = scope.f.index(task.product.size[1])
    context = scope.packed("epilogue", [width, *(pointers[k] for k in distinct)])
    return [Lane(scope.f, "ptr", f"@{symbol}"), context]


def _entry(module: Module, name: str, pointers: int) -> None:
    """What the kernel calls: unpacks the context, so that the pointers are known not to overlap."""
    f = module.function(name, "void", CALLBACK, internal=True, inline="noinline")
    f.call("void", f"{name}_tile", *f.arguments[1:], *runtime.unpack(f, ["i64", *["ptr"] * pointers]))
    f.ret()


def _tile_function(module: Module, name: str, made: Epilogue, over: int) -> None:
    """The maps over one tile; pointer `over` is the tile itself."""
    pointers = [("ptr noalias", f"p{k}") for k in range(len(made.pointers))]
    parameters = [("ptr noalias", "tile"), *CALLBACK[2:], ("i64", "width"), *pointers]
    f = module.function(name, "void", parameters, internal=True, inline="noinline")
    result = made.items[0].dtype
    with f.loop(0, f["rows"], hints=[NO_VECTOR]) as row:
        line = row.index * f["ld"]
        with f.loop(0, f["columns"]) as column:
            where = lanes.address(f, f["tile"], line + column.index, result)
            lane = lanes.load(f, where, result)
            position = (row.index + f["row"], column.index + f["column"])
            epilogue.emit(f, made, f.arguments[7:], position, lane, (over, where), f["width"])
    f.ret()
