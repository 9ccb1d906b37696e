"""One task of the suite in this process; `run.py` starts it. Runs on any MindSpore that has the layers.

python benchmarks/run_tasks.py TASK SECONDS      # prints one JSON object
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

START = time.perf_counter()

import numpy as np  # noqa: E402, F401 - importing is what the first task measures
from suite_table import TASKS  # noqa: E402

NUMPY = time.perf_counter()

import mindspore as ms  # noqa: E402
from mindspore import Tensor, nn, ops  # noqa: E402, F401

IMPORTED = time.perf_counter()

import compile_models as models  # noqa: E402
from compile_models import floats, layers, trainer, waited  # noqa: E402
from memory import peak_kib  # noqa: E402

Work = Callable[[], Any]


def of(function: Callable[..., Any], *shapes: tuple[int, ...]) -> Work:
    """A call of a compiled function with random operands."""
    compiled, operands = ms.jit(function), [floats(*shape) for shape in shapes]
    return lambda: compiled(*operands)


def chained(a: Any, b: Any) -> Any:
    return ops.sigmoid(a * b + 1.0) * ops.tanh(a - b) + ops.exp(-ops.abs(b))


def addition() -> Work:
    a, b = floats(4), floats(4)
    return lambda: a + b


def small_product() -> Work:
    a, b = floats(4, 4), floats(4, 4)
    return lambda: ops.matmul(a, b)


def perceptron() -> Work:
    net = nn.SequentialCell(nn.Dense(784, 512), nn.ReLU(), nn.Dense(512, 256), nn.ReLU(), nn.Dense(256, 10))
    return trainer(net, 10, 32, 784)


def inference(net: Any, *images: int) -> Work:
    net.set_train(False)
    x = floats(*images)
    return lambda: net(x)


def backward(net: Any, *shape: int) -> Work:
    """All gradients of the sum of a network's result: those of its parameters and of its operand."""
    x, parameters = floats(*shape), net.trainable_params()
    gradient = ms.jit(ms.grad(lambda x: net(x).sum(), 0, parameters))
    return lambda: gradient(x)


def lenet() -> Work:
    net = nn.SequentialCell(
        layers.Conv2d(1, 6, 5, pad_mode="valid"), nn.ReLU(), layers.MaxPool2d(2, 2),
        layers.Conv2d(6, 16, 5, pad_mode="valid"), nn.ReLU(), layers.MaxPool2d(2, 2),
        nn.Flatten(), nn.Dense(400, 120), nn.ReLU(), nn.Dense(120, 84), nn.ReLU(), nn.Dense(84, 10),
    )  # fmt: skip
    return trainer(net, 10, 32, 1, 32, 32)


def convolution_layer() -> Any:
    convolution = layers.Conv2d(128, 128, 3, pad_mode="pad", padding=1)
    return nn.SequentialCell(convolution, layers.BatchNorm2d(128), nn.ReLU()).set_train()


def resnet() -> Any:
    return models.Residual((3, 4, 6, 3))


WORK: Mapping[str, Callable[[], Work]] = {
    "dispatch": addition,
    "dispatch_matmul": small_product,
    "mlp_eager": perceptron,
    "chain": lambda: of(chained, (1 << 22,), (1 << 22,)),
    "matmul": lambda: of(ops.matmul, (1024, 1024), (1024, 1024)),
    "softmax": lambda: of(lambda x: ops.softmax(x, -1), (4096, 1024)),
    "layernorm": lambda: inference(layers.LayerNorm((1024,)), 4096, 1024),
    "sum_columns": lambda: of(lambda x: x.sum(0), (4096, 1024)),
    "transpose": lambda: of(lambda x: x.transpose(0, 2, 1, 3) + 0.0, (8, 128, 12, 64)),
    "dense_backward": lambda: backward(nn.Dense(768, 3072), 1024, 768),
    "conv_forward": lambda: inference(convolution_layer(), 8, 128, 28, 28),
    "conv_backward": lambda: backward(convolution_layer(), 8, 128, 28, 28),
    "encoder_forward": lambda: inference(models.Encoder(768, 12, 3072), 8, 128, 768),
    "encoder_backward": lambda: backward(models.Encoder(768, 12, 3072), 8, 128, 768),
    "mlp_graph": perceptron,
    "lenet": lenet,
    "resnet50_infer_b1": lambda: inference(resnet(), 1, 3, 224, 224),
    "resnet50_train_b8": lambda: trainer(resnet(), 1000, 8, 3, 224, 224),
    "compile_deep": lambda: models.perceptron(64),
}


def resident() -> float:
    """MiB that this process held at most."""
    return peak_kib() / 1024


def rounds(work: Work, first: float, seconds: float) -> Iterator[float]:
    """Seconds per call of five rounds that take about `seconds` together."""
    waited(work())
    calls = max(1, min(20_000, int(seconds / 5 / max(first, 1e-6)))) if first < seconds else 1
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(calls - 1):
            work()
        waited(work())
        yield (time.perf_counter() - start) / calls


def measured(task: str, seconds: float) -> dict[str, float]:
    if task == "import":
        return {"best": IMPORTED - START, "numpy": NUMPY - START, "peak_mib": resident()}
    ms.set_context(mode=ms.PYNATIVE_MODE if TASKS[task] == "eager" else ms.GRAPH_MODE)
    work = WORK[task]()
    before = resident()
    start = time.perf_counter()
    waited(work())
    first = time.perf_counter() - start
    start = time.perf_counter()
    waited(work())
    again = time.perf_counter() - start
    found = {"best": min(rounds(work, again, seconds)), "first": first}
    return {**found, "peak_mib": resident(), "working_mib": resident() - before}


if __name__ == "__main__":
    print(json.dumps(measured(sys.argv[1], float(sys.argv[2]))))
