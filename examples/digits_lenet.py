"""Trains LeNet-5 on 1,797 handwritten digits, in the middle of 32 x 32 pixels, and tests it on a fifth of them that it has never seen.

    python examples/digits_lenet.py --mode graph

Exit code 0 when the accuracy reaches 97 %, 1 otherwise.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from digits_mlp import Array, evaluated, options_of, train

from mindspore import nn

WANTED = 0.97


class LeNet5(nn.Cell):
    """Two convolutions, each followed by the largest of four neighbours, then three dense layers (LeCun et al. 1998)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, pad_mode="valid"), nn.Conv2d(6, 16, 5, pad_mode="valid")
        self.pool, self.relu, self.flatten = nn.MaxPool2d(2, 2), nn.ReLU(), nn.Flatten()
        self.fc1, self.fc2, self.fc3 = nn.Dense(16 * 5 * 5, 120), nn.Dense(120, 84), nn.Dense(84, 10)

    def construct(self, x: Any) -> Any:
        x = self.pool(self.relu(self.conv1(x)))
        x = self.flatten(self.pool(self.relu(self.conv2(x))))
        return self.fc3(self.relu(self.fc2(self.relu(self.fc1(x)))))


def enlarged(images: Array) -> Array:
    """Images (N, 1, 32, 32): each pixel three times as wide and high, and a border."""
    large = np.repeat(np.repeat(images, 3, axis=1), 3, axis=2)
    return np.pad(large, ((0, 0), (4, 4), (4, 4)))[:, None]


def main(arguments: list[str] | None = None) -> int:
    options = options_of(__doc__ or "", 15, arguments)

    def fit(images: Array, labels: Array) -> nn.Cell:
        network = LeNet5()
        train(network, enlarged(images), labels, options.epochs, rate=0.02)
        return network

    return evaluated(options, fit, enlarged, WANTED)


if __name__ == "__main__":
    sys.exit(main())
