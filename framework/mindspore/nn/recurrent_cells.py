"""One step of recurrent networks: what a state becomes by one input."""

from __future__ import annotations

from typing import Any

from mindspore import ops
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.common.checks import boolean, one_of, positive_int
from mindspore.common.initializer import Uniform, initializer
from mindspore.common.parameter import Parameter
from mindspore.nn.cell import Cell

__all__ = ["GRUCell", "LSTMCell", "RNNCell"]

State = tuple[Any, ...]
NONLINEARITIES = ("tanh", "relu")


def weight(shape: tuple[int, ...], hidden: int, name: str, dtype: DType) -> Parameter:
    """A Parameter drawn evenly from ``-1 / sqrt(hidden)`` to ``1 / sqrt(hidden)``."""
    return Parameter(initializer(Uniform(hidden**-0.5), shape, dtype), name=name)


def projected(x: Any, weights: Any, bias: Any) -> Any:
    """``x @ weights^T + bias`` over the last dimension; without a bias when it is None."""
    flat = ops.reshape(x, (-1, x.shape[-1]))
    found = ops.MatMul(transpose_b=True)(flat, weights)
    found = found if bias is None else found + bias
    return ops.reshape(found, (*x.shape[:-1], weights.shape[0]))


def simple_step(given: Any, state: State, weights: Any, bias: Any, relu: bool) -> State:
    """``h' = tanh(given + W h + b)``, or relu."""
    moved = given + projected(state[0], weights, bias)
    return (ops.relu(moved) if relu else ops.tanh(moved),)


def lstm_step(given: Any, state: State, weights: Any, bias: Any) -> State:
    """Hochreiter and Schmidhuber 1997, with a forget gate; the gates are input, forget, cell and output."""
    hidden, cell = state
    size = hidden.shape[-1]
    gates = given + projected(hidden, weights, bias)
    kept = ops.sigmoid(gates[:, size : 2 * size]) * cell
    new = kept + ops.sigmoid(gates[:, :size]) * ops.tanh(gates[:, 2 * size : 3 * size])
    return ops.sigmoid(gates[:, 3 * size :]) * ops.tanh(new), new


def gru_step(given: Any, state: State, weights: Any, bias: Any) -> State:
    """Cho and others 2014; the gates are reset, update and new, of which the reset gate stands behind the product with the state."""
    hidden = state[0]
    size = hidden.shape[-1]
    own = projected(hidden, weights, bias)
    reset = ops.sigmoid(given[:, :size] + own[:, :size])
    update = ops.sigmoid(given[:, size : 2 * size] + own[:, size : 2 * size])
    new = ops.tanh(given[:, 2 * size :] + reset * own[:, 2 * size :])
    return (new + update * (hidden - new),)


def check_inputs(owner: str, x: Any, size: int, rank: int) -> None:
    """ValueError when `x` has not `rank` dimensions, the last one of `size`."""
    if len(x.shape) != rank or x.shape[-1] != size:
        raise ValueError(
            f"For '{owner}', the 'x' must have {rank} dimensions and {size} features in the last one, but got shape {x.shape}."
        )


def check_state(owner: str, state: Any, shape: tuple[int, ...]) -> None:
    """ValueError when a tensor of the state has not this shape."""
    if state.shape != shape:
        raise ValueError(f"For '{owner}', the 'hx' must be of shape {shape} here, but got {state.shape}.")


class _RecurrentCell(Cell):
    """What the three have in common; `gates`: how many times the hidden size the weights have rows."""

    gates = 1

    def __init__(self, input_size: int, hidden_size: int, has_bias: bool, dtype: DType) -> None:
        super().__init__()
        owner = type(self).__name__
        self.input_size = positive_int(owner, "input_size", input_size)
        self.hidden_size = positive_int(owner, "hidden_size", hidden_size)
        self.has_bias = boolean(owner, "has_bias", has_bias)
        rows = self.gates * hidden_size
        self.weight_ih = weight((rows, input_size), hidden_size, "weight_ih", dtype)
        self.weight_hh = weight((rows, hidden_size), hidden_size, "weight_hh", dtype)
        self.bias_ih = weight((rows,), hidden_size, "bias_ih", dtype) if has_bias else None
        self.bias_hh = weight((rows,), hidden_size, "bias_hh", dtype) if has_bias else None

    def given(self, x: Any, states: State) -> Any:
        """The input's part of the gates, after a look at all shapes."""
        owner = type(self).__name__
        check_inputs(owner, x, self.input_size, 2)
        for each in states:
            check_state(owner, each, (x.shape[0], self.hidden_size))
        return projected(x, self.weight_ih, self.bias_ih)

    def extend_repr(self) -> str:
        return f"input_size={self.input_size}, hidden_size={self.hidden_size}, has_bias={self.has_bias}"


class RNNCell(_RecurrentCell):
    """``h' = tanh(W_ih x + b_ih + W_hh h + b_hh)`` (Elman 1990).

    Args:
        input_size: features of the input.
        hidden_size: features of the state.
        has_bias: whether there are biases.
        nonlinearity: "tanh" or "relu".
        dtype: element type of the Parameters.

    Inputs:
        x of shape (batch, input_size), hx of shape (batch, hidden_size).

    Returns:
        The new state (batch, hidden_size).

    Raises:
        TypeError: a size that is no int, `has_bias` that is no bool.
        ValueError: a size below 1, another nonlinearity, or inputs of other shapes.

    Examples:
        >>> from mindspore import nn, ops
        >>> print(nn.RNNCell(3, 2)(ops.ones((5, 3)), ops.zeros((5, 2))).shape)
        (5, 2)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        has_bias: bool = True,
        nonlinearity: str = "tanh",
        dtype: DType = dt.float32,
    ) -> None:
        super().__init__(input_size, hidden_size, has_bias, dtype)
        self.nonlinearity = one_of("RNNCell", "nonlinearity", nonlinearity, NONLINEARITIES)

    def construct(self, x: Any, hx: Any) -> Any:
        given = self.given(x, (hx,))
        return simple_step(given, (hx,), self.weight_hh, self.bias_hh, self.nonlinearity == "relu")[0]


class LSTMCell(_RecurrentCell):
    """One step of a long short-term memory (Hochreiter and Schmidhuber 1997), with input, forget, cell and output gates in this order.

    Args:
        input_size: features of the input.
        hidden_size: features of the state.
        has_bias: whether there are biases.
        dtype: element type of the Parameters.

    Inputs:
        x of shape (batch, input_size), hx a tuple (h, c), each of shape (batch, hidden_size).

    Returns:
        A tuple (h, c) of the new states.

    Raises:
        TypeError: a size that is no int, `has_bias` that is no bool, or `hx` that is no tuple of two.
        ValueError: a size below 1, or inputs of other shapes.

    Examples:
        >>> from mindspore import nn, ops
        >>> h, c = nn.LSTMCell(3, 2)(ops.ones((5, 3)), (ops.zeros((5, 2)), ops.zeros((5, 2))))
        >>> print(h.shape, c.shape)
        (5, 2) (5, 2)
    """

    gates = 4

    def __init__(self, input_size: int, hidden_size: int, has_bias: bool = True, dtype: DType = dt.float32) -> None:
        super().__init__(input_size, hidden_size, has_bias, dtype)

    def construct(self, x: Any, hx: Any) -> Any:
        if not isinstance(hx, tuple) or len(hx) != 2:
            raise TypeError("For 'LSTMCell', the 'hx' must be a tuple (h, c) of two tensors.")
        return lstm_step(self.given(x, hx), hx, self.weight_hh, self.bias_hh)


class GRUCell(_RecurrentCell):
    """One step of a gated recurrent unit (Cho and others 2014), with reset, update and new gates in this order.

    Args:
        input_size: features of the input.
        hidden_size: features of the state.
        has_bias: whether there are biases.
        dtype: element type of the Parameters.

    Inputs:
        x of shape (batch, input_size), hx of shape (batch, hidden_size).

    Returns:
        The new state (batch, hidden_size).

    Raises:
        TypeError: a size that is no int, `has_bias` that is no bool.
        ValueError: a size below 1, or inputs of other shapes.

    Examples:
        >>> from mindspore import nn, ops
        >>> print(nn.GRUCell(3, 2)(ops.ones((5, 3)), ops.zeros((5, 2))).shape)
        (5, 2)
    """

    gates = 3

    def __init__(self, input_size: int, hidden_size: int, has_bias: bool = True, dtype: DType = dt.float32) -> None:
        super().__init__(input_size, hidden_size, has_bias, dtype)

    def construct(self, x: Any, hx: Any) -> Any:
        return gru_step(self.given(x, (hx,)), (hx,), self.weight_hh, self.bias_hh)[0]
