"""What the machine can do and how near matrix products come: a generated loop of fused multiply-adds against products of 256 to 4096.

    python benchmarks/peak.py                       # one line for each size
    python benchmarks/peak.py --threads 1 --json    # one JSON object per line
    python benchmarks/peak.py --sizes 1024 --rounds 20

The loop keeps 24 vectors in registers and reads no memory. Loop and product take turns, and the best of each counts.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

SIZES = (256, 384, 512, 768, 1000, 1024, 1536, 2048, 3072, 4096)
TURNS = 200_000
"""Half a millisecond: waking the other threads takes a tenth of it."""
WORKER = "peak_worker"


def loop(level: str) -> tuple[Callable[[int], None], int]:
    """A function that runs the loop on so many threads, and the operations of one thread."""
    from mindspore import _native
    from mindspore.kernels import jit, runtime, target
    from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Module, vector
    from mindspore.kernels.gemm_tile import multiply_add, splat

    isa = target.isa(level)
    lanes = isa.lanes(4)
    chains = 24 if isa.registers > 16 else 12
    module = Module(isa)
    f = module.function(WORKER, "void", runtime.RANGE, internal=True, inline="noinline")
    sums = [splat(f, f.value(float(i), "float"), lanes) for i in range(chains)]
    factor = splat(f, f.load("float", f["context"]), lanes)
    with f.loop(0, TURNS, carried=sums, hints=[NO_UNROLL, NO_VECTOR]) as turn:
        turn.next(*(multiply_add(f, factor, value, factor) for value in turn.carried))
    total = f.alloca(vector(lanes, "float"), chains)
    for i, value in enumerate(turn.results):
        f.line(f"store volatile {value}, {total.at(value.type, i)}, align 4")
    f.ret()
    k = runtime.kernel(module, "peak")
    context = runtime.pack(k, [runtime.param(k, 1)])
    runtime.parallel_for(k, k["runtime"], runtime.param(k, 0), 1, WORKER, context)
    runtime.done(k)
    linked = jit.link([jit.compiled_text(module.text(), isa, "loops")])
    call = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)(linked.address("peak"))

    def run(threads: int, _keep: Any = linked) -> None:
        # 0.5 as the bits of a float: sums stay finite
        call(_native.runtime_address(), None, (ctypes.c_int64 * 2)(threads, 0x3F000000))

    return run, 2 * TURNS * chains * lanes


def seconds(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, help="as many as processors by default")
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    options = parser.parse_args(arguments)
    if options.threads:
        os.environ["MS_NUM_THREADS"] = str(options.threads)
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    from mindspore import Tensor, _native, ops

    threads = _native.get_num_threads()
    spin, operations = loop(_native.isa_level())
    for n in options.sizes:
        a, b = (Tensor(np.random.default_rng(i).standard_normal((n, n), dtype=np.float32)) for i in range(2))
        ops.matmul(a, b)
        peak = product = 0.0
        for _ in range(options.rounds):
            peak = max(peak, operations * threads / seconds(lambda: spin(threads)))
            product = max(product, 2 * n**3 / seconds(lambda: ops.matmul(a, b)))  # noqa: B023
        row = {"n": n, "threads": threads, "gflops": product / 1e9, "peak_gflops": peak / 1e9, "share": product / peak}
        text = f"{n:5d}  {row['gflops']:8.1f} of {row['peak_gflops']:8.1f} GFLOP/s  {100 * row['share']:5.1f} %"
        print(json.dumps(row) if options.json else text, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
