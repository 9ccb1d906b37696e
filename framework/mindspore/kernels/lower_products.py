"""Matrix products of any element type, a block of one output row per unit, with the maps that follow applied to each finished element."""

from __future__ import annotations

from mindspore.base.dtypes import DType
from mindspore.kernels import epilogue, lanes, lower_nest, scalars
from mindspore.kernels.emit import NO_VECTOR, Function, Module, Value
from mindspore.kernels.epilogue import Epilogue
from mindspore.kernels.flatten_folds import accumulator
from mindspore.kernels.lanes import Lane
from mindspore.kernels.lower_items import Index, digits, flat, regrouped
from mindspore.kernels.program import Batch, Product
from mindspore.kernels.scope import Scope
from mindspore.kernels.tasks import RunProduct
from mindspore.primitives.scalar import Expr

BLOCK = 512
"""Columns of one unit."""


def emit(scope: Scope, task: RunProduct) -> None:
    """Run a product as units of a generated function."""
    product = task.product
    made = scope.merged(task.epilogue)
    m, n, _ = product.size
    count = m * product.batch.count * -(-n // BLOCK)
    work = 2 * product.work + made.cost * product.outputs[0].size
    grain = count if work < lower_nest.PARALLEL_FROM else max(1, count * lower_nest.GRAIN // work)
    key = repr((product.size, product.steps, product.batch, product.outputs[0].dtype, made.key))

    def write(module: Module, name: str) -> None:
        _units(module, name, product, made)

    values = [*(r.value for r in product.reads), *made.pointers]
    pointers = [scope.pointer(v) for v in values if v is not None]
    scope.run_units("product", key, pointers, (count, grain), write)


def _units(module: Module, name: str, product: Product, made: Epilogue) -> None:
    parameters = [("ptr noalias", f"p{k}") for k in range(2 + len(made.pointers))]
    f = module.function(name, "void", [*parameters, ("i64", "begin"), ("i64", "end")], internal=True, inline="noinline")
    with f.loop(f["begin"], f["end"], hints=[NO_VECTOR]) as loop:
        _Unit(f, product, made).run(loop.index)
    f.ret()


def batch_starts(batch: Batch, number: Index) -> tuple[Index, Index]:
    """First elements of both operands of batch `number`."""
    left: Index
    right: Index
    left, right = batch.starts
    for i, a, b in zip(digits(number, batch.sizes), batch.left, batch.right, strict=True):
        left, right = left + i * a, right + i * b
    return left, right


def multiplied(f: Function, dtype: DType, so_far: Lane, a: Lane, b: Lane) -> Lane:
    """One more product in a sum; sums may be reordered."""
    x, y, z = (Expr("operand", (), dtype, i) for i in range(3))
    kept, f.flags = f.flags, "contract reassoc"
    total = scalars.lower(f, Expr("add", (x, Expr("mul", (y, z), dtype)), dtype), [so_far, a, b])
    f.flags = kept
    return total


class _Unit:
    def __init__(self, f: Function, product: Product, made: Epilogue) -> None:
        self.f, self.product, self.made = f, product, made
        self.dtype = product.outputs[0].dtype
        self.sums = accumulator(self.dtype)
        self.steps_a, self.steps_b = product.steps

    def run(self, unit: Value) -> None:
        f, (m, n, _) = self.f, self.product.size
        batch, row, block = digits(unit, (self.product.batch.count, m, -(-n // BLOCK)))
        first = block * BLOCK
        width: Index = n if n <= BLOCK else f.minimum(f.index(n) - first, BLOCK)
        starts = batch_starts(self.product.batch, batch)
        left = starts[0] + row * self.steps_a[0]
        finish = self.dots if self.steps_b[1] != 1 else self.rows
        finish((left, starts[1]), (batch * m + row, first, width))

    def load(self, operand: int, index: Index) -> Lane:
        pointer = self.f.arguments[operand]
        return lanes.load(self.f, lanes.address(self.f, pointer, index, self.dtype), self.dtype)

    def zero(self) -> Lane:
        return scalars.constant(self.f, 0, self.sums)

    def done(self, row: Index, column: Index, result: Lane) -> None:
        epilogue.emit(self.f, self.made, self.f.arguments[2:-2], (row, column), result)

    def dots(self, starts: tuple[Index, Index], where: tuple[Index, Index, Index]) -> None:
        """Both operands run along k: one sum per result."""
        row, first, width = where
        with self.f.loop(0, width, hints=[NO_VECTOR]) as column:
            right = starts[1] + (column.index + first) * self.steps_b[1]
            with self.f.loop(0, self.product.size[2], carried=flat(self.zero())) as loop:
                (so_far,) = regrouped(loop.carried, [self.zero()])
                a = self.load(0, loop.index * self.steps_a[1] + starts[0])
                b = self.load(1, loop.index * self.steps_b[0] + right)
                loop.next(*flat(multiplied(self.f, self.sums, so_far, a, b)))
            (result,) = regrouped(loop.results, [self.zero()])
            self.done(row, column.index + first, result)

    def rows(self, starts: tuple[Index, Index], where: tuple[Index, Index, Index]) -> None:
        """Rows of the right operand are added to a row of sums."""
        row, first, width = where
        f = self.f
        count = min(BLOCK, self.product.size[1]) * (2 if self.sums.is_complex else 1)
        sums = f.alloca(lanes.memory_type(self.sums), count)
        with f.loop(0, width) as column:
            self.put(sums, column.index, self.zero())
        with f.loop(0, self.product.size[2], hints=[NO_VECTOR]) as loop:
            a = self.load(0, loop.index * self.steps_a[1] + starts[0])
            right = loop.index * self.steps_b[0] + starts[1] + first
            with f.loop(0, width) as column:
                b = self.load(1, column.index + right)
                self.put(sums, column.index, multiplied(f, self.sums, self.get(sums, column.index), a, b))
        with f.loop(0, width) as column:
            self.done(row, column.index + first, self.get(sums, column.index))

    def put(self, sums: Value, column: Value, lane: Lane) -> None:
        lanes.store(self.f, lane, lanes.address(self.f, sums, column, self.sums), self.sums)

    def get(self, sums: Value, column: Value) -> Lane:
        return lanes.load(self.f, lanes.address(self.f, sums, column, self.sums), self.sums)
