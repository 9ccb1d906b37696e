"""Times what users wait for: importing, dispatch, a step of training in both modes, a fused chain, a matrix product.

    python benchmarks/run.py                  # all, one line each
    python benchmarks/run.py matmul --json    # some, one JSON object per line

``best`` is the best of several rounds in seconds, ``first`` the first call with its compilation.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import mindspore as ms
from mindspore import Tensor, nn, ops

RNG = np.random.default_rng(0)
Result = dict[str, float]


def floats(*shape: int) -> Tensor:
    return Tensor(RNG.standard_normal(shape).astype(np.float32))


def timed(run: Callable[[], Any], calls: int, rounds: int = 5) -> Result:
    """Seconds per call: the best round of `calls`, and the first call."""
    start = time.perf_counter()
    run()
    first = time.perf_counter() - start
    run()
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(calls):
            run()
        best = min(best, (time.perf_counter() - start) / calls)
    return {"best": best, "first": first}


def importing() -> Result:
    """A fresh interpreter that imports the package, less one that imports nothing."""

    def seconds(program: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", program], check=True)
        return time.perf_counter() - start

    program = "import mindspore; from mindspore import Tensor, nn, ops"
    first = seconds(program)
    return {"best": min(seconds(program) for _ in range(5)) - min(seconds("") for _ in range(5)), "first": first}


def dispatch() -> Result:
    """One small addition, eagerly."""
    a, b = floats(4), floats(4)
    return timed(lambda: a + b, 20_000)


def network() -> nn.Cell:
    return nn.SequentialCell(nn.Dense(784, 512), nn.ReLU(), nn.Dense(512, 256), nn.ReLU(), nn.Dense(256, 10))


def step_of(mode: int) -> Callable[[], Any]:
    ms.set_context(mode=mode)
    net = network()
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    optimizer = nn.Momentum(net.trainable_params(), 0.01, 0.9)
    step = nn.TrainOneStepCell(nn.WithLossCell(net, loss), optimizer).set_train()
    images, labels = floats(32, 784), Tensor(RNG.integers(0, 10, 32).astype(np.int32))
    return lambda: step(images, labels)


def mlp_graph() -> Result:
    """One step of training a perceptron of three layers, batch 32, compiled."""
    return timed(step_of(ms.GRAPH_MODE), 50)


def mlp_eager() -> Result:
    """The same step, operator by operator."""
    return timed(step_of(ms.PYNATIVE_MODE), 50)


@ms.jit
def chained(a: Any, b: Any) -> Any:
    return ops.sigmoid(a * b + 1.0) * ops.tanh(a - b) + ops.exp(-ops.abs(b))


def chain() -> Result:
    """Eight element-wise operators over 4 million elements, fused."""
    a, b = floats(1 << 22), floats(1 << 22)
    return timed(lambda: chained(a, b), 3)


def matmul() -> Result:
    """A product of two 1024 x 1024 matrices; ``gflops`` from the best time."""
    a, b = floats(1024, 1024), floats(1024, 1024)
    result = timed(lambda: ops.matmul(a, b), 3)
    return {**result, "gflops": 2 * 1024**3 / result["best"] / 1e9}


TASKS: Mapping[str, Callable[[], Result]] = {
    "import": importing,
    "dispatch": dispatch,
    "mlp_graph": mlp_graph,
    "mlp_eager": mlp_eager,
    "chain": chain,
    "matmul": matmul,
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", nargs="*", metavar="task", help=f"of {', '.join(TASKS)}; all when none is named")
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    options = parser.parse_args(arguments)
    unknown = [t for t in options.task if t not in TASKS]
    if unknown:
        parser.error(f"no task is called {unknown[0]!r}; expected one of {', '.join(TASKS)}")
    for name in options.task or TASKS:
        result = TASKS[name]()
        if options.json:
            print(json.dumps({"task": name, **result}), flush=True)
        else:
            more = "".join(f"  {k} {v:.1f}" for k, v in result.items() if k not in ("best", "first"))
            print(f"{name:10s} {result['best'] * 1e3:10.4f} ms   first call {result['first']:.3f} s{more}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
