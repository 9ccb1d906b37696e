"""Memory between pages that may not be touched, and every kernel run on it: ``python -m tests.kernels.guarded LEVEL``.

A kernel that reads or writes past an operand, its scratch or its temporary memory ends this process; what it was is the last line printed.
"""

from __future__ import annotations

import ctypes
import faulthandler
import mmap
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import mindspore.primitives  # noqa: F401  declares the operators
from mindspore import _native
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.ir.operator import all_operators
from mindspore.ir.types import TensorType
from mindspore.kernels import table
from mindspore.kernels.plans import PlanSpec, plan
from mindspore.primitives.convolution_plan import convolution, forward_product, input_products
from mindspore.primitives.samples import Case
from tests.kernels.native import KERNEL, Runtime
from tests.primitives.drawing import draw, generator

PAGE = mmap.PAGESIZE
_LIBC = ctypes.CDLL(None, use_errno=True)


class Guarded:
    """`size` bytes that end where a page begins that may not be touched, or begin behind one that may not."""

    def __init__(self, size: int, at_end: bool, align: int = 1) -> None:
        pages = max(1, -(-size // PAGE))
        self._map = mmap.mmap(-1, (pages + 2) * PAGE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        for page in (0, pages + 1):
            if _LIBC.mprotect(ctypes.c_void_p(start + page * PAGE), ctypes.c_size_t(PAGE), 0):
                raise OSError(ctypes.get_errno(), "mprotect failed")
        gap = (pages * PAGE - size) // align * align if at_end else 0
        self.size, self.address = size, start + PAGE + gap

    def array(self, shape: tuple[int, ...], kind: Any) -> Any:
        """The memory as an array."""
        raw = (ctypes.c_uint8 * max(1, self.size)).from_address(self.address)
        found = np.ctypeslib.as_array(raw)[: self.size].view(kind).reshape(shape)
        _KEPT[id(raw)] = (raw, self)
        return found


_KEPT: dict[int, Any] = {}


def release() -> None:
    """Give back the memory of all arrays; nothing may use them any more."""
    _KEPT.clear()


class GuardedRuntime(Runtime):
    """Gives kernels scratch and other memory that is guarded as well."""

    def __init__(self, at_end: bool) -> None:
        super().__init__(threads=2, backwards=True)
        self._at_end = at_end

    def _aligned(self, size: int) -> tuple[int, object]:
        block = Guarded(size, self._at_end, align=64)
        return block.address, block


def placed(array: Any, at_end: bool) -> Any:
    """A copy of an array in guarded memory."""
    memory = Guarded(array.nbytes, at_end, array.itemsize)
    copy = memory.array(array.shape, array.dtype)
    copy[...] = array
    return copy


def empty(shape: tuple[int, ...], kind: Any, at_end: bool) -> Any:
    return placed(np.full(shape, 1, np.uint8).astype(kind), at_end)


def run(spec: PlanSpec, operands: Sequence[Any], at_end: bool) -> bool:
    """Every step of a plan on guarded memory; False when a kernel was not built ahead of time."""
    buffers = [placed(a, at_end) for a in operands]
    buffers += [empty(t.shape, dt.to_numpy(t.dtype), at_end) for t in spec.outputs]
    # temporaries hold elements of any type: they keep the largest one's alignment
    buffers += [Guarded(-(-n // 16) * 16, at_end).array((-(-n // 16) * 16,), np.uint8) for n in spec.temporaries]
    buffers += [placed(np.asarray(c), at_end) for c in spec.constants]
    for step in spec.steps:
        if step.kernel not in BUILT:
            return False
        runtime = GuardedRuntime(at_end)
        pointers = (ctypes.c_void_p * max(1, len(step.buffers)))(*[buffers[i].ctypes.data for i in step.buffers])
        numbers = (ctypes.c_int64 * max(1, len(step.params)))(*step.params)
        code = int(KERNEL(_native.kernel_address(step.kernel))(runtime.address, pointers, numbers))
        if code:
            raise AssertionError(f"{step.kernel} returned {code}: {runtime.messages}")
    release()
    return True


BUILT = frozenset(_native.kernel_names())


def trials(dtypes: Sequence[DType]) -> Iterator[tuple[str, PlanSpec, list[Any]]]:
    """Every declared operator on its samples in `dtypes` of the first input, and products of every kind of edge."""
    for op in all_operators():
        listed = [*table.trials(op)] if op.samples is not None else []
        if op.function == "matmul":
            listed += [
                ((t, t), case) for t in (dt.float32, dt.float64, dt.float16, dt.bfloat16, dt.int8) for case in PRODUCTS
            ]
        if op.name == "StridedProducts":
            listed += [((t, t), case) for t in (dt.float32, dt.float64) for case in WINDOWS]
        for types, case in (t for t in listed if not t[0] or t[0][0] in dtypes):
            rng = generator(op, case.shapes)
            shaped = [TensorType(t, s) for t, s in zip(types, case.shapes, strict=True)]
            try:
                spec = plan(op, shaped, case.attrs)
            except (TypeError, ValueError):
                # table.trials goes over the first input's types: the others may not fit
                continue
            arrays = [draw(op.samples.domain(i), t.shape, t.dtype, rng) for i, t in enumerate(shaped)]
            yield f"{op.name} {[str(t) for t in shaped]} {dict(case.attrs)}", spec, arrays


def _products() -> tuple[Case, ...]:
    sizes = (
        (1, 33, 70),
        (3, 17, 129),
        (5, 600, 9),
        (13, 100, 65),
        (65, 31, 130),
        (50, 1, 40),
        (40, 530, 3),
        (7, 8, 1),
        (70, 65, 66),
    )
    ways = [(a, b) for a in (False, True) for b in (False, True)]
    return tuple(
        Case(((k, m) if a else (m, k), (n, k) if b else (k, n)), {"transpose_a": a, "transpose_b": b})
        for m, n, k in sizes
        for a, b in ways
    )


def _windows() -> tuple[Case, ...]:
    """Convolutions, and their gradients in the input, that are large enough to be read in place."""
    attrs = {"mode": 1, "pad_mode": "valid", "pad": 0, "dilation": 1, "group": 1, "data_format": "NCHW"}
    found = []
    for x, weight, stride in (
        ((1, 40, 15, 31), (33, 40, 3, 3), 1),
        ((1, 20, 33, 41), (70, 20, 3, 2), 2),
        ((2, 3, 71, 83), (40, 3, 5, 4), (1, 2)),
    ):
        sizes = {"out_channel": weight[0], "kernel_size": weight[2:], "stride": stride}
        c = convolution("Conv2D", x, weight, {**attrs, **sizes})
        pads, back = input_products(c)
        given = (c.batch, c.outputs, *(n + a + b for n, (a, b) in zip(c.windows, pads, strict=True)))
        found.append(Case((c.weight, c.x), {"shape": c.out, "products": (forward_product(c),)}))
        found.append(Case((c.weight, given), {"shape": c.x, "products": back}))
    return tuple(found)


PRODUCTS = _products()
WINDOWS = _windows()
EVERY, FEW = (dt.bool_, dt.int8, dt.int64, dt.float16, dt.float32, dt.bfloat16, dt.complex64), (dt.int32, dt.float32)
"""Element types at the best level of this machine, and at the others."""


def main(level: str) -> int:
    faulthandler.enable()
    dtypes = EVERY if level == _native.isa_level() else FEW
    _native.set_isa_level(level)
    done = skipped = 0
    for what, spec, operands in trials(dtypes):
        for at_end in (True, False):
            print(f"{what} {'before' if at_end else 'behind'} a guard", flush=True)
            if run(spec, operands, at_end):
                done += 1
            else:
                skipped += 1
    print(f"done {done} without {skipped}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
