"""Matrix products as kernels: a block forms a tile of the result from tiles of the operands in shared memory.

Each thread has 4 x 4 results in registers, its rows beside each other and its columns apart, so that neighbouring threads store
neighbouring elements and read different banks. The maps that follow run on each finished result.
"""

from __future__ import annotations

from mindspore.base import dtypes as dt
from mindspore.kernels import epilogue, lanes, scalars
from mindspore.kernels.emit import Module, Value
from mindspore.kernels.epilogue import Epilogue
from mindspore.kernels.flatten_folds import accumulator
from mindspore.kernels.gpu.threads import BLOCK, Threads, blocks_for
from mindspore.kernels.lanes import Lane
from mindspore.kernels.lower_items import Index, digits, flat, regrouped
from mindspore.kernels.lower_products import batch_starts, multiplied
from mindspore.kernels.program import Product
from mindspore.primitives.scalar import Expr

TILE = 64
"""Rows and columns of the result that a block forms."""
DEPTH = 16
"""Steps of k between two barriers."""
EACH = 4
"""Rows and columns of a thread's results."""
ACROSS = TILE // EACH
"""Threads beside each other in a tile."""
PITCH = TILE + 1
"""Elements from one step of k to the next in shared memory; one more than a tile, so that columns lie in different banks."""


def emit(module: Module, name: str, product: Product, made: Epilogue) -> None:
    """Kernel `name` over the operands' pointers and those of the epilogue."""
    threads = Threads(module, name, 2 + len(made.pointers))
    body = _Tile(threads, product, made)
    with threads.f.loop(threads.block, tiles(product), threads.blocks) as loop:
        body.tile(loop.index)
    threads.end()


def tiles(product: Product) -> int:
    """Tiles of all batches."""
    m, n, _ = product.size
    return product.batch.count * -(-m // TILE) * -(-n // TILE)


def blocks(product: Product) -> int:
    """Blocks that the kernel of this product is started with."""
    return blocks_for(tiles(product), 1)


class _Tile:
    def __init__(self, threads: Threads, product: Product, made: Epilogue) -> None:
        self.threads, self.f, self.product, self.made = threads, threads.f, product, made
        self.dtype = product.outputs[0].dtype
        self.sums = accumulator(self.dtype)
        self.memory = [threads.shared(name, self.sums, DEPTH * PITCH) for name in ("left", "right")]
        choice = (Expr("operand", (), dt.bool_, 0), Expr("operand", (), self.sums, 1), Expr("const", (), self.sums, 0))
        self.guarded = Expr("select", choice, self.sums)
        self.across, self.down = threads.thread % ACROSS, threads.thread // ACROSS

    def tile(self, number: Value) -> None:
        """One tile of the result."""
        m, n, k = self.product.size
        batch, row, column = digits(number, (self.product.batch.count, -(-m // TILE), -(-n // TILE)))
        corner = self.f.index(row) * TILE, self.f.index(column) * TILE
        starts = batch_starts(self.product.batch, batch)
        zero = [scalars.constant(self.f, 0, self.sums) for _ in range(EACH * EACH)]
        with self.f.loop(0, k, DEPTH, [v for lane in zero for v in flat(lane)]) as loop:
            self.bring(0, starts[0], corner[0], loop.index)
            self.bring(1, starts[1], corner[1], loop.index)
            self.threads.barrier()
            ends = self.multiply(regrouped(loop.carried, zero))
            self.threads.barrier()
            loop.next(*[v for lane in ends for v in flat(lane)])
        self.finish(batch, corner, regrouped(loop.results, zero))

    def bring(self, operand: int, start: Index, corner: Value, depth: Value) -> None:
        """A tile of an operand into shared memory, along whichever dimension its elements are neighbours; zeros beyond its edges."""
        f, (m, n, k) = self.f, self.product.size
        steps = self.product.steps[operand]
        wide, deep = (steps[0], steps[1]) if operand == 0 else (steps[1], steps[0])
        pointer, extent = self.threads.pointers[operand], (m, n)[operand]
        for turn in range(TILE * DEPTH // BLOCK):
            position = self.threads.thread + turn * BLOCK
            if wide == 1:
                along, step = position % TILE, position // TILE
            else:
                along, step = position // DEPTH, position % DEPTH
            inside = (along + corner < extent) & (step + depth < k)
            offset = (along + corner) * wide + (step + depth) * deep + start
            where = lanes.address(f, pointer, f.select(inside, offset, 0), self.dtype)
            lane = lanes.load(f, where, self.dtype)
            kept = scalars.lower(f, self.guarded, [inside, lane])
            lanes.store(f, kept, self.at(operand, step, along), self.sums)

    def at(self, operand: int, step: Index, along: Index) -> Value:
        """An element of an operand's tile."""
        return lanes.address(self.f, self.memory[operand], step * PITCH + along, self.sums)

    def multiply(self, so_far: list[Lane]) -> list[Lane]:
        """What the tiles in shared memory add to a thread's results."""
        with self.f.loop(0, DEPTH, 1, [v for lane in so_far for v in flat(lane)]) as loop:
            sums = regrouped(loop.carried, so_far)
            left = [self.element(0, loop.index, self.down * EACH + i) for i in range(EACH)]
            right = [self.element(1, loop.index, self.across + j * ACROSS) for j in range(EACH)]
            ends = [
                multiplied(self.f, self.sums, sums[i * EACH + j], a, b)
                for i, a in enumerate(left)
                for j, b in enumerate(right)
            ]
            loop.next(*[v for lane in ends for v in flat(lane)])
        return regrouped(loop.results, so_far)

    def element(self, operand: int, step: Value, along: Value) -> Lane:
        return lanes.load(self.f, self.at(operand, step, along), self.sums)

    def finish(self, batch: Index, corner: tuple[Value, Value], sums: list[Lane]) -> None:
        """The maps and stores of this thread's results."""
        f, (m, n, _) = self.f, self.product.size
        for number, lane in enumerate(sums):
            row = self.down * EACH + (number // EACH) + corner[0]
            column = self.across + (number % EACH) * ACROSS + corner[1]
            with f.when((row < m) & (column < n)):
                epilogue.emit(f, self.made, self.threads.pointers[2:], (batch * m + row, column), lane)
