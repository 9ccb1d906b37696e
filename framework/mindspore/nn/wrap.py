"""Cells around networks: with a loss, and for one step of training."""

from __future__ import annotations

from typing import Any

from mindspore import ops
from mindspore.base import dtypes as dt
from mindspore.common.checks import boolean
from mindspore.common.parameter import ParameterTuple
from mindspore.nn.cell import Cell
from mindspore.nn.computing import converted
from mindspore.nn.optimizer import Optimizer

__path__: list[str] = []
"""Further module paths begin with this one (`base.import_paths`)."""
__all__ = ["ForwardValueAndGrad", "TrainOneStepCell", "WithEvalCell", "WithGradCell", "WithLossCell"]


class WithLossCell(Cell):
    """``loss_fn(backbone(data), label)``.

    Args:
        backbone: the network.
        loss_fn: a Cell or function of (output, label).
    """

    def __init__(self, backbone: Cell, loss_fn: Any) -> None:
        super().__init__(auto_prefix=False)
        self._backbone = backbone
        self._loss_fn = loss_fn

    def construct(self, data: Any, label: Any) -> Any:
        return self._loss_fn(self._backbone(data), label)

    @property
    def backbone_network(self) -> Cell:
        """The network without the loss."""
        return self._backbone


class WithEvalCell(Cell):
    """Loss, outputs and labels of a network, for its evaluation.

    Args:
        network: the network.
        loss_fn: a Cell or function of (output, label).
        add_cast_fp32: whether outputs and labels become float32 before the loss.

    Returns:
        The loss, the outputs, the labels.

    Examples:
        >>> from mindspore import Tensor, nn
        >>> evaluated = nn.WithEvalCell(nn.ReLU(), nn.MSELoss())
        >>> print(*evaluated(Tensor([-1.0, 2.0]), Tensor([0.0, 0.0])))
        2.0 [0. 2.] [0. 0.]
    """

    def __init__(self, network: Cell, loss_fn: Any, add_cast_fp32: bool = False) -> None:
        super().__init__(auto_prefix=False)
        self._network = network
        self._loss_fn = loss_fn
        self.add_cast_fp32 = boolean("WithEvalCell", "add_cast_fp32", add_cast_fp32)

    def construct(self, data: Any, label: Any) -> Any:
        outputs = self._network(data)
        if self.add_cast_fp32:
            outputs, label = converted(outputs, dt.float32), converted(label, dt.float32)
        return self._loss_fn(outputs, label), outputs, label


class TrainOneStepCell(Cell):
    """One step of training: the loss, its gradients, and the optimizer's update. Returns the loss.

    Args:
        network: a Cell that returns the loss.
        optimizer: changes the Parameters that it was made with.
        sens: the cotangent of the loss: a factor on all gradients.

    Examples:
        >>> import mindspore as ms
        >>> import mindspore.nn as nn
        >>> from mindspore import Tensor
        >>> net = nn.Dense(2, 1, weight_init="zeros", bias_init="zeros")
        >>> optimizer = nn.Momentum(net.trainable_params(), 0.1, 0.9)
        >>> step = nn.TrainOneStepCell(nn.WithLossCell(net, nn.MSELoss()), optimizer)
        >>> print(step(Tensor([[1.0, 2.0]]), Tensor([[1.0]])))
        1.0
    """

    def __init__(self, network: Cell, optimizer: Optimizer, sens: float | None = None) -> None:
        super().__init__(auto_prefix=False)
        self.network = network
        self.network.set_grad()
        if not hasattr(optimizer, "parameters"):
            raise TypeError(
                f"For 'TrainOneStepCell', the 'optimizer' must be an Optimizer, but got {type(optimizer).__name__}."
            )
        self.optimizer = optimizer
        self.weights = ParameterTuple(optimizer.parameters)
        self.sens = 1.0 if sens is None else float(sens)
        self.grad_fn = ops.value_and_grad(self.network, None, self.weights)
        self.scaled_grad_fn = ops.GradOperation(get_by_list=True, sens_param=True)(self.network, self.weights)

    def construct(self, *inputs: Any) -> Any:
        if self.sens == 1.0:
            loss, gradients = self.grad_fn(*inputs)
        else:
            loss = self.network(*inputs)
            gradients = self.scaled_grad_fn(*inputs, ops.full_like(loss, self.sens))
        self.optimizer(gradients)
        return loss


class WithGradCell(Cell):
    """The gradients of a network's loss in its weights.

    Args:
        network: the network.
        loss_fn: a Cell or function of (output, label); without it the arguments go to the network alone.
        sens: with any value but None the call takes the cotangent of the loss as its last argument.

    Returns:
        A tuple of gradients in the order of ``network.trainable_params()``.
    """

    def __init__(self, network: Cell, loss_fn: Any = None, sens: Any = None) -> None:
        super().__init__(auto_prefix=False)
        self.network = network if loss_fn is None else WithLossCell(network, loss_fn)
        self.weights = ParameterTuple(network.trainable_params())
        self.grad_fn = ops.GradOperation(get_by_list=True, sens_param=sens is not None)(self.network, self.weights)

    def construct(self, *inputs: Any) -> Any:
        return self.grad_fn(*inputs)


class ForwardValueAndGrad(Cell):
    """The value of a network and its gradients.

    Args:
        network: a Cell or function.
        weights: Parameters to differentiate for when `get_by_list` is true.
        get_all: gradients of all arguments rather than of the first one.
        get_by_list: gradients of `weights`.
        sens_param: the call takes the cotangent of the value as its last argument.

    Returns:
        ``(value, gradients)``, the gradients in the form of `GradOperation`.
    """

    def __init__(
        self,
        network: Any,
        weights: Any = None,
        get_all: bool = False,
        get_by_list: bool = False,
        sens_param: bool = False,
    ) -> None:
        super().__init__(auto_prefix=False)
        if not callable(network):
            raise TypeError(
                f"For 'ForwardValueAndGrad', the 'network' must be a Cell or function, but got {network!r}."
            )
        self.network = network
        self.sens_param = sens_param
        grad = ops.GradOperation(get_all, get_by_list, sens_param)
        self.grad_fn = grad(network, weights) if get_by_list else grad(network)

    def construct(self, *inputs: Any) -> Any:
        value = self.network(*(inputs[:-1] if self.sens_param else inputs))
        return value, self.grad_fn(*inputs)
