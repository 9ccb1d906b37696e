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
from mindspore.nn.adam import Adam, AdamWeightDecay
from mindspore.nn.basic import Dense, Dropout, Flatten, Identity
from mindspore.nn.cell import Cell
from mindspore.nn.containers import CellList, SequentialCell
from mindspore.nn.conv import Conv2d
from mindspore.nn.derivatives import Jvp, Vjp
from mindspore.nn.embedding import Embedding
from mindspore.nn.learning_rate_schedule import LearningRateSchedule
from mindspore.nn.loss import CrossEntropyLoss, L1Loss, LossBase, MSELoss, SoftmaxCrossEntropyWithLogits
from mindspore.nn.normalization import BatchNorm1d, BatchNorm2d, BatchNorm3d, LayerNorm
from mindspore.nn.optimizer import SGD, Momentum, Optimizer
from mindspore.nn.pooling import AdaptiveAvgPool2d, AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d
from mindspore.nn.summary import Summary, summary
from mindspore.nn.wrap import ForwardValueAndGrad, TrainOneStepCell, WithGradCell, WithLossCell

__all__ = [
    "ELU",
    "GELU",
    "SGD",
    "Adam",
    "AdamWeightDecay",
    "AdaptiveAvgPool2d",
    "AvgPool1d",
    "AvgPool2d",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "Cell",
    "CellList",
    "Conv2d",
    "CrossEntropyLoss",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "ForwardValueAndGrad",
    "HSigmoid",
    "HSwish",
    "Identity",
    "Jvp",
    "L1Loss",
    "LayerNorm",
    "LeakyReLU",
    "LearningRateSchedule",
    "LogSoftmax",
    "LossBase",
    "MSELoss",
    "MaxPool1d",
    "MaxPool2d",
    "Momentum",
    "Optimizer",
    "ReLU",
    "ReLU6",
    "SequentialCell",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "SoftmaxCrossEntropyWithLogits",
    "Summary",
    "Tanh",
    "TrainOneStepCell",
    "Vjp",
    "WithGradCell",
    "WithLossCell",
    "get_activation",
    "summary",
]
