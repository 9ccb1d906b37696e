"""Recurrent networks over whole sequences, in several layers and both directions."""

from __future__ import annotations

from typing import Any

from mindspore import ops
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.common.checks import boolean, one_of, positive_int
from mindspore.common.graph_meaning import in_graphs
from mindspore.common.parameter import ParameterTuple
from mindspore.common.tensor import Tensor
from mindspore.nn.basic import Dropout
from mindspore.nn.cell import Cell
from mindspore.nn.recurrent_cells import (
    NONLINEARITIES,
    State,
    check_inputs,
    check_state,
    gru_step,
    lstm_step,
    projected,
    simple_step,
    weight,
)

__all__ = ["GRU", "LSTM", "RNN"]


class _Recurrent(Cell):
    """A step repeated along a sequence.

    `gates`: how many times the hidden size the weights have rows; `states`: of how many tensors a state is.
    """

    gates = 1
    states = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        has_bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        dtype: DType = dt.float32,
    ) -> None:
        super().__init__()
        owner = type(self).__name__
        self.input_size = positive_int(owner, "input_size", input_size)
        self.hidden_size = positive_int(owner, "hidden_size", hidden_size)
        self.num_layers = positive_int(owner, "num_layers", num_layers)
        self.has_bias = boolean(owner, "has_bias", has_bias)
        self.batch_first = boolean(owner, "batch_first", batch_first)
        self.bidirectional = boolean(owner, "bidirectional", bidirectional)
        self.directions = 2 if bidirectional else 1
        self.dropout_rate = _rate(owner, dropout)
        self.between = Dropout(p=dropout) if dropout else None
        ways = ["", "_reverse"][: self.directions]
        places = [(layer, f"l{layer}{way}") for layer in range(num_layers) for way in ways]
        rows, wide = self.gates * hidden_size, self.directions * hidden_size

        def weights(kind: str, *columns: int) -> ParameterTuple:
            sizes = [(rows, *columns) if layer or kind != "weight_ih" else (rows, input_size) for layer, _ in places]
            named = zip(sizes, places, strict=True)
            return ParameterTuple([weight(s, hidden_size, f"{kind}_{name}", dtype) for s, (_, name) in named])

        self.w_ih_list = weights("weight_ih", wide)
        self.w_hh_list = weights("weight_hh", hidden_size)
        self.b_ih_list = weights("bias_ih") if has_bias else None
        self.b_hh_list = weights("bias_hh") if has_bias else None

    def construct(self, x: Any, hx: Any = None, seq_length: Any = None) -> Any:
        if self.batch_first:
            x = ops.swapaxes(x, 0, 1)
        check_inputs(type(self).__name__, x, self.input_size, 3)
        begin = self.begin(x, hx)
        finals = []
        for layer in range(self.num_layers):
            outputs = []
            for way in range(self.directions):
                place = layer * self.directions + way
                output, final = self.along(x, tuple([each[place] for each in begin]), place, way == 1, seq_length)
                outputs.append(output)
                finals.append(final)
            x = ops.concat(outputs, -1) if self.bidirectional else outputs[0]
            if self.between is not None and layer + 1 < self.num_layers:
                x = self.between(x)
        if self.batch_first:
            x = ops.swapaxes(x, 0, 1)
        last = tuple([ops.stack([final[i] for final in finals]) for i in range(self.states)])
        return x, (last if self.states > 1 else last[0])

    def begin(self, x: Any, hx: Any) -> State:
        """The states before the first step, all layers and directions in one tensor."""
        shape = (self.num_layers * self.directions, x.shape[1], self.hidden_size)
        if hx is None:
            return tuple([ops.zeros(shape, x.dtype) for _ in range(self.states)])
        owner, several = type(self).__name__, isinstance(hx, tuple)
        if several != (self.states > 1) or (several and len(hx) != self.states):
            wanted = "a tuple (h, c) of two tensors" if self.states > 1 else "a tensor"
            raise TypeError(f"For '{owner}', the 'hx' must be {wanted}.")
        given = hx if several else (hx,)
        for each in given:
            check_state(owner, each, shape)
        return given

    def along(self, x: Any, state: State, place: int, backwards: bool, seq_length: Any) -> tuple[Any, State]:
        """One layer in one direction: what each step gives, and the last state. Steps behind the end of a sequence give 0."""
        given = projected(x, self.w_ih_list[place], self.b_ih_list[place] if self.b_ih_list is not None else None)
        bias = self.b_hh_list[place] if self.b_hh_list is not None else None
        return along_steps(self.step, given, state, self.w_hh_list[place], bias, backwards, seq_length)

    def extend_repr(self) -> str:
        return (
            f"input_size={self.input_size}, hidden_size={self.hidden_size}, num_layers={self.num_layers}, "
            f"has_bias={self.has_bias}, batch_first={self.batch_first}, dropout={self.dropout_rate}, "
            f"bidirectional={self.bidirectional}"
        )


def along_steps(
    step: Any, given: Any, state: State, weights: Any, bias: Any, backwards: bool, seq_length: Any
) -> tuple[Any, State]:
    """What each step gives, and the last state. Compiled code has a loop here; lists are what a tape records best."""
    outputs = []
    places = range(given.shape[0])
    for at in reversed(places) if backwards else places:
        output, state = _masked(step(given[at], state, weights, bias), state, at, seq_length)
        outputs.append(output)
    return ops.stack(outputs[::-1] if backwards else outputs), state


def _looped(
    step: Any, given: Any, state: State, weights: Any, bias: Any, backwards: bool, seq_length: Any
) -> tuple[Any, State]:
    count = given.shape[0]
    outputs = ops.zeros((count, *state[0].shape), state[0].dtype)
    turn = Tensor(0)
    while turn < count:
        at = count - 1 - turn if backwards else turn
        output, state = _masked(step(given[at], state, weights, bias), state, at, seq_length)
        outputs[at] = output
        turn = turn + 1
    return outputs, state


in_graphs(along_steps, _looped)


def _masked(new: State, old: State, at: Any, seq_length: Any) -> tuple[Any, State]:
    """The output and the state after step `at`: behind the end of a sequence 0 and the state before."""
    if seq_length is None:
        return new[0], new
    inside = ops.expand_dims(seq_length > at, -1)
    kept = tuple([ops.select(inside, n, o) for n, o in zip(new, old, strict=True)])
    return ops.select(inside, new[0], 0.0), kept


def _rate(owner: str, dropout: Any) -> float:
    if not isinstance(dropout, float):
        raise TypeError(f"For '{owner}', the type of 'dropout' must be 'float', but got '{type(dropout).__name__}'.")
    if not 0.0 <= dropout < 1.0:
        raise ValueError(
            f"For '{owner}', the 'dropout' must be a number in range [0, 1) representing the probability of an element being zeroed, "
            f"but got {dropout}."
        )
    return dropout


class RNN(_Recurrent):
    """Layers of `RNNCell` along a sequence (Elman 1990).

    Args:
        input_size: features of the input.
        hidden_size: features of the state.
        num_layers: layers, each over the outputs of the one before.
        has_bias: whether there are biases.
        batch_first: whether x and the outputs are of shape (batch, steps, features) rather than (steps, batch, features).
        dropout: in training, the probability by which outputs of each layer but the last are left out.
        bidirectional: whether each layer also runs from the end, its outputs beside those of the other direction.
        nonlinearity: "tanh" or "relu".
        dtype: element type of the Parameters.

    Inputs:
        x (steps, batch, input_size); hx (num_layers * directions, batch, hidden_size), zeros when None; seq_length (batch,): how many
        steps of each sequence count, all when None: behind them outputs are 0 and states stay.

    Returns:
        The outputs (steps, batch, directions * hidden_size) of the last layer, and the last states, of the shape of hx.

    Raises:
        TypeError: an argument of another type, or `hx` of another form.
        ValueError: a number out of range, another nonlinearity, or inputs of other shapes.

    Examples:
        >>> from mindspore import nn, ops
        >>> output, last = nn.RNN(3, 2, bidirectional=True)(ops.ones((7, 5, 3)))
        >>> print(output.shape, last.shape)
        (7, 5, 4) (2, 5, 2)
    """

    def __init__(self, *args: Any, nonlinearity: str = "tanh", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.nonlinearity = one_of("RNN", "nonlinearity", nonlinearity, NONLINEARITIES)

    def step(self, given: Any, state: State, weights: Any, bias: Any) -> State:
        """One step of all sequences."""
        return simple_step(given, state, weights, bias, self.nonlinearity == "relu")


class LSTM(_Recurrent):
    """Layers of `LSTMCell` along a sequence (Hochreiter and Schmidhuber 1997).

    Args:
        input_size, hidden_size, num_layers, has_bias, batch_first, dropout, bidirectional, dtype: see `RNN`.

    Inputs:
        x (steps, batch, input_size); hx a tuple (h, c), each (num_layers * directions, batch, hidden_size), zeros when None;
        seq_length: see `RNN`.

    Returns:
        The outputs (steps, batch, directions * hidden_size) of the last layer, and a tuple (h, c) of the last states.

    Raises:
        TypeError: an argument of another type, or `hx` of another form.
        ValueError: a number out of range, or inputs of other shapes.

    Examples:
        >>> from mindspore import nn, ops
        >>> output, (h, c) = nn.LSTM(3, 2, num_layers=2, batch_first=True)(ops.ones((5, 7, 3)))
        >>> print(output.shape, h.shape, c.shape)
        (5, 7, 2) (2, 5, 2) (2, 5, 2)
    """

    gates = 4
    states = 2

    def step(self, given: Any, state: State, weights: Any, bias: Any) -> State:
        """One step of all sequences."""
        return lstm_step(given, state, weights, bias)


class GRU(_Recurrent):
    """Layers of `GRUCell` along a sequence (Cho and others 2014).

    Args:
        input_size, hidden_size, num_layers, has_bias, batch_first, dropout, bidirectional, dtype: see `RNN`.

    Inputs:
        x (steps, batch, input_size); hx (num_layers * directions, batch, hidden_size), zeros when None; seq_length: see `RNN`.

    Returns:
        The outputs (steps, batch, directions * hidden_size) of the last layer, and the last states, of the shape of hx.

    Raises:
        TypeError: an argument of another type, or `hx` of another form.
        ValueError: a number out of range, or inputs of other shapes.

    Examples:
        >>> from mindspore import nn, ops
        >>> output, last = nn.GRU(3, 2)(ops.ones((7, 5, 3)))
        >>> print(output.shape, last.shape)
        (7, 5, 2) (1, 5, 2)
    """

    gates = 3

    def step(self, given: Any, state: State, weights: Any, bias: Any) -> State:
        """One step of all sequences."""
        return gru_step(given, state, weights, bias)
