"""Storey 8: networks: `Cell`, layers, losses, optimizers and training steps."""

from __future__ import annotations

from mindspore.nn.activation import (
    ELU,
    GELU,
    HSigmoid,
    HSwish,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
    get_activation,
)
from mindspore.nn.basic import Dense, Flatten, Identity
from mindspore.nn.cell import Cell
from mindspore.nn.containers import CellList, SequentialCell
from mindspore.nn.learning_rate_schedule import LearningRateSchedule
from mindspore.nn.loss import CrossEntropyLoss, L1Loss, LossBase, MSELoss, SoftmaxCrossEntropyWithLogits
from mindspore.nn.optimizer import SGD, Momentum, Optimizer
from mindspore.nn.wrap import TrainOneStepCell, WithLossCell

__all__ = [
    "ELU",
    "GELU",
    "SGD",
    "Cell",
    "CellList",
    "CrossEntropyLoss",
    "Dense",
    "Flatten",
    "HSigmoid",
    "HSwish",
    "Identity",
    "L1Loss",
    "LeakyReLU",
    "LearningRateSchedule",
    "LogSoftmax",
    "LossBase",
    "MSELoss",
    "Momentum",
    "Optimizer",
    "ReLU",
    "ReLU6",
    "SequentialCell",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "SoftmaxCrossEntropyWithLogits",
    "Tanh",
    "TrainOneStepCell",
    "WithLossCell",
    "get_activation",
]
