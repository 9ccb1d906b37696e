"""One training step of a multi-layer perceptron as a graph: forward, backward and momentum, and the same with numpy."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.ir.graph import Graph, Node, Parameter
from tests.lowering.programs import b, graph, parameter

RATE, MOMENTUM = 0.05, 0.9


def training_step(sizes: Sequence[int], batch: int) -> tuple[Graph, dict[int, int]]:
    """Parameters: x, one-hot labels, then weight, bias, and the accumulations of both for each layer. Outputs: the loss, the updates."""
    x, labels = parameter((batch, sizes[0]), name="x"), parameter((batch, sizes[-1]), name="labels")
    layers = []
    for i, (inputs, units) in enumerate(pairwise(sizes)):
        shapes = ((units, inputs), (units,)) * 2
        layers.append([parameter(s, name=f"{n}{i}") for n, s in zip(("w", "b", "mw", "mb"), shapes, strict=True)])
    activations, logits = _forward(x, layers)
    logs = b.log_softmax(logits, axis=-1)
    loss = b.reduce_mean(b.neg(b.reduce_sum(b.mul(labels, logs), axis=1)))
    d = b.mul(b.sub(b.exp(logs), labels), 1.0 / batch)
    outputs: list[Node] = [loss]
    updates: dict[int, int] = {}
    for i, layer in reversed(list(enumerate(layers))):
        gradients = (b.matmul(d, activations[i], transpose_a=True), b.reduce_sum(d, axis=0))
        if i:
            back = b.matmul(d, layer[0])
            d = b.select(b.greater(activations[i], 0.0), back, b.zeros_like(back))
        for k, gradient in enumerate(gradients):
            rate, momentum = (b.const(v, dt.float32) for v in (RATE, MOMENTUM))
            step = b.apply_momentum(layer[k], layer[2 + k], rate, gradient, momentum)
            for position, target in ((0, k), (1, 2 + k)):
                updates[len(outputs)] = 2 + 4 * i + target
                outputs.append(b.get(step, position))
    return graph([x, labels, *(p for layer in layers for p in layer)], *outputs), updates


def _forward(x: Parameter, layers: Sequence[Sequence[Parameter]]) -> tuple[list[Node], Node]:
    activations: list[Node] = [x]
    for i, (weight, bias, _, _) in enumerate(layers):
        z = b.add(b.matmul(activations[-1], weight, transpose_b=True), bias)
        activations.append(b.relu(z) if i < len(layers) - 1 else z)
    return activations, activations[-1]


def numpy_step(x: np.ndarray, labels: np.ndarray, state: list[np.ndarray]) -> float:
    """The same step in numpy; writes `state` in place."""
    layers = [state[i : i + 4] for i in range(0, len(state), 4)]
    activations = [x]
    for i, (weight, bias, _, _) in enumerate(layers):
        z = activations[-1] @ weight.T + bias
        activations.append(np.maximum(z, 0) if i < len(layers) - 1 else z)
    shifted = activations[-1] - activations[-1].max(1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    d = (np.exp(logs) - labels) / np.float32(len(x))
    for i, (weight, bias, moved_w, moved_b) in reversed(list(enumerate(layers))):
        gradients = d.T @ activations[i], d.sum(0)
        if i:
            d = np.where(activations[i] > 0, d @ weight, np.float32(0))
        for value, moved, gradient in ((weight, moved_w, gradients[0]), (bias, moved_b, gradients[1])):
            moved[...] = moved * np.float32(MOMENTUM) + gradient
            value[...] -= moved * np.float32(RATE)
    return float(-(labels * logs).sum(1).mean())


def initial(sizes: Sequence[int], batch: int) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Data and state for a step."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, sizes[0])).astype(np.float32)
    labels = np.eye(sizes[-1], dtype=np.float32)[rng.integers(0, sizes[-1], batch)]
    state = []
    for inputs, outputs in pairwise(sizes):
        weight = (rng.standard_normal((outputs, inputs)) / np.sqrt(inputs)).astype(np.float32)
        bias = np.zeros(outputs, np.float32)
        state += [weight, bias, np.zeros_like(weight), np.zeros_like(bias)]
    return x, labels, state
