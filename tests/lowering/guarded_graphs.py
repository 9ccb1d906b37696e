"""Compiled graphs on memory between pages that may not be touched: ``python -m tests.lowering.guarded_graphs COUNT SEED``.

Arguments, results, constants, the arena and what kernels ask for all lie in such memory. A graph that reads or writes past any of them ends
this process; what it was is what is printed last.
"""

from __future__ import annotations

import ctypes
import faulthandler
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings

from mindspore import _native
from mindspore.backends.cpu.kernel_addresses import resolve_kernel
from mindspore.base import dtypes as dt
from mindspore.ir.graph import Graph
from mindspore.ir.printer import to_text
from mindspore.kernels import jit, target
from mindspore.kernels.lower import ENTRY, lower
from mindspore.passes.expand import expand_composites
from tests.kernels.guarded import GuardedRuntime, empty, placed, release
from tests.lowering.mlp import training_step
from tests.lowering.programs import b, expected, graph, normal, parameter
from tests.lowering.test_random_graphs import graphs
from tests.primitives.drawing import assert_same
from tests.primitives.pullback import pullback

_ENTRY = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p)


def results(made: Graph, arrays: Sequence[Any], at_end: bool) -> list[Any]:
    """What the compiled graph gives."""
    isa = target.isa(_native.isa_level())
    lowered = lower(made, isa=isa)
    linked = jit.link(jit.compiled_parts(lowered.parts, isa))
    outputs = [empty(o.type.shape, dt.to_numpy(o.type.dtype), at_end) for o in made.outputs()]  # type: ignore[union-attr]
    kernels = placed(np.array([*map(resolve_kernel, lowered.kernels), 0], np.int64), at_end)
    # values in the arena have places that are multiples of 64
    arena = placed(np.zeros(-(-lowered.arena_bytes // 64) * 64, np.uint8).view("V64"), at_end)
    slots = [
        *(placed(a, at_end) for a in arrays),
        *outputs,
        kernels,
        *(placed(c, at_end) for c in lowered.constants),
        arena,
    ]
    runtime = GuardedRuntime(at_end)
    code = _ENTRY(linked.address(ENTRY))(
        runtime.address, (ctypes.c_void_p * len(slots))(*(s.ctypes.data for s in slots))
    )
    assert code == 0, runtime.messages
    found = [o.copy() for o in outputs]
    release()
    return found


def check(made: Graph, arrays: Sequence[Any]) -> None:
    """The graph runs before and behind a guard, and gives what its operators mean."""
    print(to_text(made), flush=True)
    for at_end in (True, False):
        print("before a guard" if at_end else "behind a guard", flush=True)
        for got, want in zip(results(made, arrays, at_end), expected(made, *arrays), strict=True):
            assert_same(got, want, made.name, ulps=512, summed=True)


def drawn(made: Graph) -> list[Any]:
    return [normal(*b.shape(p), seed=i) for i, p in enumerate(made.parameters)]


def step() -> Graph:
    """Training of a perceptron."""
    return training_step((33, 70, 10), 13)[0]


def convolutions() -> Graph:
    """Convolutions with a pool and a normalisation, and the gradients of all their operands."""
    x, v, w, scale = parameter((2, 3, 13, 11)), parameter((6, 3, 3, 3)), parameter((4, 3, 2, 2)), parameter((6,))
    mean, variance = parameter((6,)), b.add(b.square(scale), 1.0)
    y = b.conv2d(x, v, out_channel=6, kernel_size=3, pad_mode="same", stride=1)
    y = b.get(b.batch_norm(y, scale, mean, mean, variance, is_training=True), 0)
    y = b.max_pool(b.tanh(y), kernel_size=2, strides=2, pad_mode="valid")
    y = b.conv2d(y, w, out_channel=4, kernel_size=2, pad_mode="pad", pad=1, stride=2, group=2)
    given_ = [x, v, w, scale, mean]
    return graph(given_, y, *pullback(b.reduce_sum(b.tanh(y)), given_))


def rows() -> Graph:
    """Products of batches, softmax and normalisation with their gradients: attention without its name."""
    q, k, scale = parameter((3, 7, 33)), parameter((3, 17, 33)), parameter((33,))
    weights = b.softmax(b.batch_matmul(q, k, transpose_b=True), axis=-1)
    y = b.get(b.layer_norm(b.batch_matmul(weights, k), scale, scale, begin_norm_axis=2, begin_params_axis=2), 0)
    return graph([q, k, scale], y, *pullback(b.reduce_sum(b.sigmoid(y)), [q, k, scale]))


def folds() -> Graph:
    """Folds that are cut into pieces, and of dimensions that are no neighbours."""
    x = parameter((40, 6, 784))
    y = b.transpose(x, perm=(1, 0, 2))
    return graph(
        [x], b.reduce_sum(y, axis=(1, 2)), b.reduce_max(x, axis=(0, 2)), b.reduce_mean(x), b.cum_sum(x, axis=1)
    )


SIZES = (1, 2, 3, 8, 17, 33)
"""Below, at and above the widths of registers."""
FIXED: Sequence[Callable[[], Graph]] = (step, convolutions, rows, folds)


def main(count: int, number: int) -> int:
    faulthandler.enable()
    done = len(FIXED)

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(graphs(SIZES, 20_000))
    def drawn_ones(made: Graph) -> None:
        nonlocal done
        check(made, drawn(made))
        done += 1

    for make in FIXED:
        fixed = make()
        expand_composites(fixed)
        check(fixed, drawn(fixed))
    drawn_ones()
    print(f"done {done}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
