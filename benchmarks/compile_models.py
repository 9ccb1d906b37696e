"""One model's first call in this process: what compiling takes, and where. Runs on any MindSpore; `compile_time.py` starts it.

python benchmarks/compile_models.py MODEL LAYERS      # prints one JSON object
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

import mindspore as ms
from mindspore import Tensor, nn

layers: Any = nn
"""A MindSpore that lacks some of them still runs the other models."""

RNG = np.random.default_rng(0)


def floats(*shape: int) -> Tensor:
    return Tensor(RNG.standard_normal(shape).astype(np.float32))


def trainer(net: Any, classes: int, *images: int) -> Callable[[], Any]:
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    step = nn.TrainOneStepCell(nn.WithLossCell(net, loss), nn.Momentum(net.trainable_params(), 0.01, 0.9))
    step.set_train()
    x, labels = floats(*images), Tensor(RNG.integers(0, classes, images[0]).astype(np.int32))
    return lambda: step(x, labels)


class Layer(nn.Cell):
    def __init__(self, given: int, made: int) -> None:
        super().__init__()
        self.dense, self.relu = nn.Dense(given, made), nn.ReLU()

    def construct(self, x: Any) -> Any:
        return self.relu(self.dense(x))


def perceptron(layers: int) -> Callable[[], Any]:
    """Equal layers."""
    return trainer(nn.SequentialCell([*(Layer(64, 64) for _ in range(layers)), nn.Dense(64, 10)]), 10, 32, 64)


def funnel(layers: int) -> Callable[[], Any]:
    """Layers of ever different widths."""
    widths = [64 + 8 * k for k in range(layers + 1)]
    inner = [Layer(a, b) for a, b in pairwise(widths)]
    return trainer(nn.SequentialCell([*inner, nn.Dense(widths[-1], 10)]), 10, 32, 64)


class Chain(nn.Cell):
    def __init__(self, layers: int) -> None:
        super().__init__()
        self.layers = layers
        self.tanh = nn.Tanh()

    def construct(self, x: Any) -> Any:
        for k in range(self.layers):
            x = self.tanh(x * (1.0 + k) + x)
        return x


def chain(layers: int) -> Callable[[], Any]:
    """Element-wise operators one after the other."""
    net, x = Chain(layers), floats(1000)
    return lambda: net(x)


class Encoder(nn.Cell):
    """One layer of a transformer: attention and two dense layers, each after a norm."""

    def __init__(self, width: int, heads: int, inner: int) -> None:
        super().__init__()
        self.q, self.k, self.v, self.out = (nn.Dense(width, width) for _ in range(4))
        self.wide, self.narrow = nn.Dense(width, inner), nn.Dense(inner, width)
        self.norm1, self.norm2 = layers.LayerNorm((width,)), layers.LayerNorm((width,))
        self.relu, self.softmax, self.heads = nn.ReLU(), nn.Softmax(), heads

    def split(self, x: Any) -> Any:
        batch, length, width = x.shape
        return x.reshape(batch, length, self.heads, width // self.heads).transpose(0, 2, 1, 3)

    def construct(self, x: Any) -> Any:
        y = self.norm1(x)
        q, k, v = self.split(self.q(y)), self.split(self.k(y)), self.split(self.v(y))
        weights = self.softmax(ms.ops.matmul(q, k.transpose(0, 1, 3, 2)) * 0.25)
        x = x + self.out(ms.ops.matmul(weights, v).transpose(0, 2, 1, 3).reshape(x.shape))
        return x + self.narrow(self.relu(self.wide(self.norm2(x))))


class Transformer(nn.Cell):
    def __init__(self, count: int, width: int) -> None:
        super().__init__()
        self.layers, self.last = (
            nn.SequentialCell([Encoder(width, 4, 4 * width) for _ in range(count)]),
            nn.Dense(width, 10),
        )

    def construct(self, x: Any) -> Any:
        return self.last(self.layers(x).mean(1))


def transformer(layers: int) -> Callable[[], Any]:
    """Equal layers of many operators."""
    net = Transformer(layers, 64)
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    step = nn.TrainOneStepCell(nn.WithLossCell(net, loss), nn.Adam(net.trainable_params(), 1e-3))
    step.set_train()
    x, labels = floats(2, 16, 64), Tensor(RNG.integers(0, 10, 2).astype(np.int32))
    return lambda: step(x, labels)


class Bottleneck(nn.Cell):
    def __init__(self, given: int, middle: int, stride: int) -> None:
        super().__init__()
        made = middle * 4
        self.c1, self.b1 = layers.Conv2d(given, middle, 1), layers.BatchNorm2d(middle)
        self.c2 = layers.Conv2d(middle, middle, 3, stride, pad_mode="pad", padding=1)
        self.b2, self.c3, self.b3 = layers.BatchNorm2d(middle), layers.Conv2d(middle, made, 1), layers.BatchNorm2d(made)
        self.relu, self.down = nn.ReLU(), None
        if stride != 1 or given != made:
            self.down = nn.SequentialCell(layers.Conv2d(given, made, 1, stride), layers.BatchNorm2d(made))

    def construct(self, x: Any) -> Any:
        y = self.relu(self.b1(self.c1(x)))
        y = self.relu(self.b2(self.c2(y)))
        y = self.b3(self.c3(y))
        if self.down is not None:
            x = self.down(x)
        return self.relu(y + x)


class Residual(nn.Cell):
    def __init__(self, counts: tuple[int, ...], classes: int = 1000) -> None:
        super().__init__()
        self.c1, self.b1 = layers.Conv2d(3, 64, 7, 2, pad_mode="pad", padding=3), layers.BatchNorm2d(64)
        self.relu, self.pool = nn.ReLU(), layers.MaxPool2d(3, 2, pad_mode="same")
        cells, given = [], 64
        for part, count in enumerate(counts):
            for k in range(count):
                cells.append(Bottleneck(given, 64 << part, 2 if k == 0 and part else 1))
                given = 64 << part + 2
        self.blocks, self.fc = nn.SequentialCell(cells), nn.Dense(given, classes)

    def construct(self, x: Any) -> Any:
        x = self.blocks(self.pool(self.relu(self.b1(self.c1(x)))))
        return self.fc(x.mean((2, 3)))


def resnet(layers: int) -> Callable[[], Any]:
    """ResNet-50 for 50 layers; others have as many blocks in the third part as that takes."""
    third = max(1, (layers - 2) // 3 - 10)
    return trainer(Residual((3, 4, third, 3)), 1000, 8, 3, 224, 224)


MODELS: Mapping[str, Callable[[int], Callable[[], Any]]] = {
    "perceptron": perceptron, "funnel": funnel, "chain": chain, "transformer": transformer, "resnet": resnet,
}  # fmt: skip


def stages() -> dict[str, float]:
    """Seconds in each stage of the newest compilation; nothing where the package does not tell."""
    try:
        times = importlib.import_module("mindspore.compiler.times").compile_times()
    except ImportError:
        return {}
    return {each.name: each.seconds for each in times}


def waited(result: Any) -> None:
    while isinstance(result, tuple | list):
        result = result[0]
    result.asnumpy()


def main(model: str, layers: int) -> None:
    ms.set_context(mode=ms.GRAPH_MODE)
    run = MODELS[model](layers)

    def call() -> float:
        start = time.perf_counter()
        waited(run())
        return time.perf_counter() - start

    first = call()
    found = stages()
    steady = min(call() for _ in range(3))
    print(json.dumps({"compile": first - steady, "steady": steady, "stages": found}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
