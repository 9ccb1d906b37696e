"""Trains a small network on 1,797 handwritten digits and tests it on a fifth of them that it has never seen.

    python examples/digits_mlp.py --mode graph

Exit code 0 when the accuracy reaches 95 %, 1 otherwise.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import mindspore as ms
from mindspore import Tensor, nn

WANTED = 0.95
SEED = 7
Array = npt.NDArray[Any]


class Classifier(nn.Cell):
    """64 pixels to 10 digits through one hidden layer."""

    def __init__(self, hidden: int = 64) -> None:
        super().__init__()
        self.layers = nn.SequentialCell(nn.Flatten(), nn.Dense(64, hidden, activation="relu"), nn.Dense(hidden, 10))

    def construct(self, images: Any) -> Any:
        return self.layers(images)


def load(path: Path) -> tuple[Array, Array]:
    """Images scaled to [0, 1] and their labels, in an order that does not change from run to run."""
    with np.load(path) as data:
        images, labels = data["images"].astype(np.float32) / 16.0, data["labels"].astype(np.int32)
    order = np.random.default_rng(SEED).permutation(len(labels))
    return images[order], labels[order]


def batches(images: Array, labels: Array, size: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Full batches in a new order; what is left over waits for another epoch."""
    order = rng.permutation(len(labels))
    for first in range(0, len(order) - size + 1, size):
        chosen = order[first : first + size]
        yield Tensor(images[chosen]), Tensor(labels[chosen])


def shown(epochs: int) -> Iterable[int]:
    """The epochs, with a progress bar on a terminal."""
    if not sys.stdout.isatty():
        return range(epochs)
    from rich.progress import track

    return track(range(epochs), description="training")


def train(network: nn.Cell, images: Array, labels: Array, epochs: int, size: int = 32, rate: float = 0.1) -> None:
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    optimizer = nn.Momentum(network.trainable_params(), learning_rate=rate, momentum=0.9)
    step = nn.TrainOneStepCell(nn.WithLossCell(network, loss), optimizer)
    step.set_train()
    rng = np.random.default_rng(SEED)
    for epoch in shown(epochs):
        losses = [float(step(*batch)) for batch in batches(images, labels, size, rng)]
        if not sys.stdout.isatty():
            print(f"epoch {epoch + 1}/{epochs}: loss {np.mean(losses):.4f}", flush=True)


def accuracy(network: nn.Cell, images: Array, labels: Array) -> float:
    network.set_train(False)
    found = network(Tensor(images)).asnumpy().argmax(axis=1)
    return float(np.mean(found == labels))


def options_of(description: str, epochs: int, arguments: list[str] | None) -> argparse.Namespace:
    """The command line; `epochs` is the number of them by default."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", choices=("graph", "pynative"), default="graph", help="execution mode")
    parser.add_argument("--epochs", type=int, default=epochs, help="passes over the training images")
    parser.add_argument("--data", type=Path, default=Path(__file__).with_name("digits.npz"), help="images and labels")
    options = parser.parse_args(arguments)
    if options.epochs < 1:
        parser.error(f"--epochs must be at least 1, got {options.epochs}")
    if not options.data.is_file():
        parser.error(f"--data: {options.data} is not a file; digits.npz lies beside this script")
    return options


def evaluated(
    options: argparse.Namespace,
    fit: Callable[[Array, Array], nn.Cell],
    prepared: Callable[[Array], Array],
    wanted: float,
) -> int:
    """The exit code: 0 when the network that `fit` trains on four fifths reaches `wanted` on the rest."""
    ms.set_context(mode=ms.GRAPH_MODE if options.mode == "graph" else ms.PYNATIVE_MODE, device_target="CPU")
    ms.set_seed(SEED)
    images, labels = load(options.data)
    held_out = len(labels) // 5
    network = fit(images[held_out:], labels[held_out:])
    reached = accuracy(network, prepared(images[:held_out]), labels[:held_out])
    print(f"accuracy {reached:.2%} on {held_out} images held out, in {options.mode} mode; {wanted} or more is wanted")
    return 0 if reached >= wanted else 1


def main(arguments: list[str] | None = None) -> int:
    options = options_of(__doc__ or "", 20, arguments)

    def fit(images: Array, labels: Array) -> nn.Cell:
        network = Classifier()
        train(network, images, labels, options.epochs)
        return network

    return evaluated(options, fit, lambda images: images, WANTED)


if __name__ == "__main__":
    sys.exit(main())
