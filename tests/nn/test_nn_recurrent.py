"""Recurrent layers and their cells: MindSpore's answers, the steps one by one, gradients against differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, nn, ops
from tests.modes import numeric_gradient

pytestmark = pytest.mark.compiler

LENGTHS = np.array([5, 3, 1, 4], np.int32)
STATES = {"LSTM": 2, "GRU": 1, "RNN": 1}


def filled(net: Any) -> Any:
    for k, p in enumerate(net.get_parameters()):
        p.set_data(Tensor((np.sin(np.arange(p.size) * 0.7 + k) * 0.5).reshape(p.shape).astype(np.float32)))
    return net


def waves(*shape: int) -> Any:
    return Tensor(np.cos(np.arange(int(np.prod(shape))) * 0.3).reshape(shape).astype(np.float32))


def tensors(value: Any) -> list[Any]:
    return [t for each in value for t in tensors(each)] if isinstance(value, tuple) else [value]


def check(found: Any, wanted: Any) -> None:
    """The shape, the first four elements and the sum of each tensor."""
    for each, (shape, first, total) in zip(tensors(found), wanted, strict=True):
        array = each.asnumpy().astype(np.float64)
        assert list(array.shape) == shape
        np.testing.assert_allclose(array.ravel()[:4], first, rtol=0, atol=3e-6)
        assert array.sum() == pytest.approx(total, abs=3e-5)


@pytest.mark.parametrize(
    ("name", "settings", "wanted"),
    [
        ("LSTM", {},
         [([5, 4, 2], [0.202176, -0.034, 0.066087, 0.047495], -5.39125),
          ([1, 4, 2], [-0.26374, -0.008016, -0.225428, 0.093129], -1.24904),
          ([1, 4, 2], [-0.646109, -0.010961, -0.629729, 0.139003], -2.67878)]),
        ("LSTM", {'num_layers': 2},
         [([5, 4, 2], [-0.180845, 0.032793, -0.301528, 0.039004], 0.78364),
          ([2, 4, 2], [0.15791, 0.178346, 0.134818, 0.112386], 1.78411),
          ([2, 4, 2], [0.481827, 0.472623, 0.502153, 0.357806], 4.95511)]),
        ("LSTM", {'bidirectional': True},
         [([5, 4, 4], [0.327012, 0.214911, -0.112954, 0.001852], 5.40053),
          ([2, 4, 2], [0.15791, 0.178346, 0.134818, 0.112386], 1.21706),
          ([2, 4, 2], [0.481827, 0.472623, 0.502153, 0.357806], 3.32122)]),
        ("LSTM", {'num_layers': 2, 'bidirectional': True, 'batch_first': True},
         [([4, 5, 4], [-0.128162, 0.160026, 0.130218, 0.108029], -0.2896),
          ([4, 4, 2], [-0.063949, 0.125676, 0.060757, -0.084364], -1.53408),
          ([4, 4, 2], [-0.22284, 0.38281, 0.242023, -0.219021], -4.00247)]),
        ("LSTM", {'has_bias': False},
         [([5, 4, 2], [0.391812, 0.099837, 0.278966, 0.138067], 2.70403),
          ([1, 4, 2], [0.017612, 0.132626, 0.025081, 0.120017], 0.32798),
          ([1, 4, 2], [0.048526, 0.283206, 0.081468, 0.308137], 0.83595)]),
        ("GRU", {},
         [([5, 4, 2], [0.278282, -0.181371, 0.084503, -0.124704], -6.84523),
          ([1, 4, 2], [-0.568011, 0.009684, -0.546027, 0.435959], -1.7684)]),
        ("GRU", {'num_layers': 2},
         [([5, 4, 2], [-0.10059, 0.278584, -0.354524, 0.26226], 12.18546),
          ([2, 4, 2], [0.52264, 0.636951, 0.52757, 0.701671], 8.45124)]),
        ("GRU", {'bidirectional': True},
         [([5, 4, 4], [0.920597, 0.639349, -0.006283, 0.240705], 23.38239),
          ([2, 4, 2], [0.52264, 0.636951, 0.52757, 0.701671], 5.76617)]),
        ("GRU", {'num_layers': 2, 'bidirectional': True, 'batch_first': True},
         [([4, 5, 4], [-0.012377, 0.341458, 0.568611, 0.183783], 14.60258),
          ([4, 4, 2], [-0.17393, 0.435628, 0.009794, -0.014923], 1.30105)]),
        ("GRU", {'has_bias': False},
         [([5, 4, 2], [0.750615, 0.249336, 0.60358, 0.217932], 10.97826),
          ([1, 4, 2], [0.090519, 0.425159, 0.154778, 0.631014], 2.18245)]),
        ("RNN", {},
         [([5, 4, 2], [0.972368, 0.63707, 0.869797, 0.505758], 13.89022),
          ([1, 4, 2], [0.351884, 0.168301, 0.258769, -0.126995], 1.91423)]),
        ("RNN", {'num_layers': 2},
         [([5, 4, 2], [0.151966, 0.838184, -0.062687, 0.829819], -4.9376),
          ([2, 4, 2], [-0.880426, -0.121382, -0.881203, -0.616986], -7.51474)]),
        ("RNN", {'bidirectional': True},
         [([5, 4, 4], [0.69371, -0.353389, 0.702435, -0.231118], -12.65214),
          ([2, 4, 2], [-0.880426, -0.121382, -0.881203, -0.616986], -4.04498)]),
        ("RNN", {'num_layers': 2, 'bidirectional': True, 'batch_first': True},
         [([4, 5, 4], [0.347101, -0.081166, -0.720954, -0.429309], -15.14092),
          ([4, 4, 2], [-0.18538, 0.126447, -0.514008, 0.275506], -0.6485)]),
        ("RNN", {'has_bias': False},
         [([5, 4, 2], [0.922984, 0.66652, 0.667951, 0.542888], 3.00712),
          ([1, 4, 2], [-0.368387, 0.083814, -0.422902, -0.173638], -1.23118)]),
        ("RNN", {'nonlinearity': 'relu'},
         [([5, 4, 2], [2.134016, 0.753226, 1.332244, 0.557013], 28.56201),
          ([1, 4, 2], [0.823782, 0.451519, 0.719672, 0.180691], 4.72474)]),
    ],
)  # fmt: skip
def test_layers(mode: str, name: str, settings: dict[str, Any], wanted: Any) -> None:
    net = filled(getattr(nn, name)(3, 2, **settings))
    states = waves(settings.get("num_layers", 1) * (2 if settings.get("bidirectional") else 1), 4, 2)
    x = waves(4, 5, 3) if settings.get("batch_first") else waves(5, 4, 3)
    check(net(x, (states, states) if STATES[name] == 2 else states), wanted)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("LSTM",
         [([5, 4, 2], [-0.167655, -0.372989, -0.161439, -0.250862], -7.44493),
          ([1, 4, 2], [-0.273782, -0.025411, -0.233442, 0.082638], -1.29127),
          ([1, 4, 2], [-0.673226, -0.034506, -0.65366, 0.122115], -2.76604)]),
        ("GRU",
         [([5, 4, 2], [-0.209039, -0.479718, -0.245225, -0.431985], -9.45634),
          ([1, 4, 2], [-0.593658, -0.012591, -0.56833, 0.420833], -1.85156)]),
        ("RNN",
         [([5, 4, 2], [0.84534, 0.376206, 0.589423, 0.259291], 12.57713),
          ([1, 4, 2], [0.342429, 0.164988, 0.24599, -0.129863], 1.89179)]),
    ],
)  # fmt: skip
def test_states_begin_as_zeros(mode: str, name: str, wanted: Any) -> None:
    check(filled(getattr(nn, name)(3, 2))(waves(5, 4, 3)), wanted)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("LSTM",
         [([5, 4, 4], [0.327012, 0.214911, -0.112954, 0.001852], 3.56636),
          ([2, 4, 2], [0.15791, 0.178346, 0.167544, 0.18813], 1.13696),
          ([2, 4, 2], [0.481827, 0.472623, 0.520423, 0.503437], 3.01879)]),
        ("GRU",
         [([5, 4, 4], [0.920597, 0.639349, -0.006283, 0.240705], 14.27743),
          ([2, 4, 2], [0.52264, 0.636951, 0.533812, 0.60763], 4.60625)]),
        ("RNN",
         [([5, 4, 4], [0.69371, -0.353389, 0.702435, -0.231118], -7.20166),
          ([2, 4, 2], [-0.880426, -0.121382, -0.850424, -0.189569], -2.23033)]),
    ],
)  # fmt: skip
def test_sequences_of_different_lengths(mode: str, name: str, wanted: Any) -> None:
    states = waves(2, 4, 2)
    net = filled(getattr(nn, name)(3, 2, bidirectional=True))
    check(net(waves(5, 4, 3), (states, states) if STATES[name] == 2 else states, Tensor(LENGTHS)), wanted)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("RNNCell", [([4, 2], [0.972368, 0.63707, 0.869797, 0.505758], 2.15489)]),
        ("GRUCell", [([4, 2], [0.278282, -0.181371, 0.084503, -0.124704], 0.28771)]),
        ("LSTMCell",
         [([4, 2], [0.202176, -0.034, 0.066087, 0.047495], 0.27265), ([4, 2], [0.300433, -0.059509, 0.113705, 0.078988], 0.19018)]),
    ],
)  # fmt: skip
def test_cells(mode: str, name: str, wanted: Any) -> None:
    h = waves(4, 2)
    check(filled(getattr(nn, name)(3, 2))(waves(4, 3), (h, h) if name == "LSTMCell" else h), wanted)


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_a_layer_is_its_cell_step_by_step(mode: str, name: str) -> None:
    layer, cell = filled(getattr(nn, name)(3, 2)), filled(getattr(nn, f"{name}Cell")(3, 2))
    x, state = waves(40, 4, 3), waves(4, 2)
    outputs, last = layer(x, (state[None], state[None]) if name == "LSTM" else state[None])
    own: Any = (state, state) if name == "LSTM" else state
    for step in range(40):
        own = cell(x[step], own)
        np.testing.assert_allclose(outputs[step].asnumpy(), tensors(own)[0].asnumpy(), rtol=0, atol=2e-6)
    for left, right in zip(tensors(last), tensors(own), strict=True):
        np.testing.assert_allclose(left[0].asnumpy(), right.asnumpy(), rtol=0, atol=2e-6)


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("lengths", [None, [4, 2]])
def test_gradients(mode: str, name: str, lengths: Any) -> None:
    net = getattr(nn, name)(3, 2, num_layers=2, bidirectional=True, dtype=ms.float64)
    for k, p in enumerate(net.get_parameters()):
        p.set_data(Tensor(np.sin(np.arange(p.size) * 0.7 + k).reshape(p.shape) * 0.5))
    given = None if lengths is None else Tensor(np.array(lengths, np.int32))
    weights = Tensor(np.sin(np.arange(4 * 2 * 4)).reshape(4, 2, 4))

    def loss(x: Any) -> Any:
        outputs, last = net(x, None, given)
        return (outputs * weights).sum() + sum([(each * each).sum() for each in tensors(last)])

    x = np.cos(np.arange(24) * 0.3).reshape(4, 2, 3)
    found, of_weights = ms.grad(loss, 0, net.trainable_params())(Tensor(x))
    np.testing.assert_allclose(found.asnumpy(), numeric_gradient(loss, x)[0], rtol=1e-5, atol=1e-7)
    recurrent = next(p for p in net.trainable_params() if p.name == "weight_hh_l1_reverse")
    position = [p.name for p in net.trainable_params()].index(recurrent.name)
    before, slopes = recurrent.asnumpy().copy(), np.zeros(recurrent.shape)
    for place in np.ndindex(*recurrent.shape):
        for sign in (1, -1):
            moved = before.copy()
            moved[place] += sign * 1e-6
            recurrent.set_data(Tensor(moved))
            slopes[place] += sign * loss(Tensor(x)).item() / 2e-6
    np.testing.assert_allclose(of_weights[position].asnumpy(), slopes, rtol=1e-5, atol=1e-7)


def test_a_network_learns_a_sequence(mode: str) -> None:
    class Summing(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.out = nn.GRU(1, 8, batch_first=True), nn.Dense(8, 1)

        def construct(self, x: Any, wanted: Any) -> Any:
            _, last = self.layer(x)
            return ops.square(self.out(last[0]) - wanted).mean()

    ms.set_seed(3)
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, (32, 6, 1)).astype(np.float32)
    net = Summing()
    step = nn.TrainOneStepCell(net, nn.Adam(net.trainable_params(), 0.02))
    losses = [step(Tensor(x), Tensor(x.sum(1))).item() for _ in range(60)]
    assert losses[-1] < 0.2 * losses[0]


def test_dropout_between_layers_is_for_training(mode: str) -> None:
    net = filled(nn.RNN(3, 64, num_layers=2, dropout=0.5))
    calm = net.set_train(False)(waves(5, 4, 3))[0].asnumpy()
    np.testing.assert_array_equal(calm, net(waves(5, 4, 3))[0].asnumpy())
    shaken = net.set_train(True)(waves(5, 4, 3))[0].asnumpy()
    assert abs(shaken - calm).max() > 1e-3


def test_names_of_the_parameters() -> None:
    assert [p.name for p in nn.LSTM(3, 2, num_layers=2, bidirectional=True).get_parameters()][:5] == [
        "weight_ih_l0", "weight_ih_l0_reverse", "weight_ih_l1", "weight_ih_l1_reverse", "weight_hh_l0",
    ]  # fmt: skip
    assert [(p.name, p.shape) for p in nn.GRUCell(3, 2).get_parameters()] == [
        ("weight_ih", (6, 3)), ("weight_hh", (6, 2)), ("bias_ih", (6,)), ("bias_hh", (6,)),
    ]  # fmt: skip


WRONG: Any = 3.0, 3, 1


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: nn.LSTM(0, 2), ValueError, "'LSTM', the 'input_size' must be int and must > 0"),
        (lambda: nn.LSTM(WRONG[0], 2), TypeError, "'LSTM', the 'input_size' must be int, but got 'float'"),
        (lambda: nn.GRU(3, 2, num_layers=0), ValueError, "'GRU', the 'num_layers'"),
        (lambda: nn.GRU(3, 2, dropout=2.0), ValueError, r"'dropout' must be a number in range \[0, 1\).*got 2.0"),
        (lambda: nn.GRU(3, 2, dropout=WRONG[2]), TypeError, "the type of 'dropout' must be 'float', but got 'int'"),
        (lambda: nn.RNN(3, 2, bidirectional=WRONG[1]), TypeError, "'bidirectional' should be bool"),
        (lambda: nn.RNN(3, 2, nonlinearity="elu"), ValueError, "'nonlinearity' must be in .'tanh', 'relu'., but got elu"),
        (lambda: nn.RNNCell(3, 2, has_bias=WRONG[1]), TypeError, "'RNNCell', the 'has_bias' should be bool"),
        (lambda: nn.LSTM(3, 2)(waves(5, 4, 2)), ValueError, r"'x' must have 3 dimensions and 3 features.*\(5, 4, 2\)"),
        (lambda: nn.LSTM(3, 2)(waves(5, 4, 3), waves(1, 4, 2)), TypeError, r"'hx' must be a tuple \(h, c\) of two tensors"),
        (lambda: nn.GRU(3, 2)(waves(5, 4, 3), (waves(1, 4, 2),)), TypeError, "'GRU', the 'hx' must be a tensor"),
        (lambda: nn.GRU(3, 2)(waves(5, 4, 3), waves(1, 4, 3)), ValueError, r"'hx' must be of shape \(1, 4, 2\) here"),
        (lambda: nn.LSTMCell(3, 2)(waves(4, 3), waves(4, 2)), TypeError, r"'LSTMCell', the 'hx' must be a tuple \(h, c\)"),
        (lambda: nn.RNNCell(3, 2)(waves(4, 3), waves(3, 2)), ValueError, r"'hx' must be of shape \(4, 2\) here, but got \(3, 2\)"),
    ],
)  # fmt: skip
def test_wrong_settings_and_inputs_are_refused(mode: str, make: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()
