"""``MultitypeFuncGraph``, ``HyperMap``, ``Map``, ``Partial``, ``constexpr`` and clipping: the same in both modes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops
from mindspore.ops import composite as C  # noqa: N812
from mindspore.ops import functional as F  # noqa: N812
from mindspore.ops import operations as P  # noqa: N812

pytestmark = pytest.mark.compiler

T = Tensor([1.0, 2.0])
add = C.MultitypeFuncGraph("add")


@add.register("Number", "Number")
def add_numbers(x: Any, y: Any) -> Any:
    return x + y


@add.register("Tensor", "Tensor")
def add_tensors(x: Any, y: Any) -> Any:
    return x + y + 100.0


@add.register("Tuple", "Tuple")
def add_tuples(x: Any, y: Any) -> Any:
    return (*x, *y)


@add.register("String", "Number")
def add_string(x: Any, y: Any) -> Any:
    return f"{x}{y}"


@add.register("None", ms.float32)
def add_none(x: Any, y: Any) -> Any:
    return y


kinds = C.MultitypeFuncGraph("kinds")
for _name in (
    "Bool", "Int", "Float", "Complex", "Ref", "Tensor", "List", "Dictionary", "Tuple", "String", "None", "Slice", "Ellipsis", "Function",
):  # fmt: skip
    kinds.register(_name)(lambda value, name=_name: name)


class Called(nn.Cell):
    """Calls a function, so that GRAPH_MODE compiles the call."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def construct(self, *args: Any) -> Any:
        return self.function(*args)


def plain(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.tolist()
    if isinstance(value, tuple | list):
        return type(value)(map(plain, value))
    return {k: plain(v) for k, v in value.items()} if isinstance(value, dict) else value


def test_functions_by_types(mode: str) -> None:
    call = Called(add)
    assert call(1, 2.5) == 3.5
    assert call(T, T).tolist() == [102, 104]
    assert call((1,), (2, 3)) == (1, 2, 3)
    assert call("a", 1) == "a1"
    assert call(None, 2.0) == 2.0
    assert repr(add) == "MultitypeFuncGraph[add]"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, "Bool"), (3, "Int"), (3.0, "Float"), (3j, "Complex"), (T, "Tensor"), ([1], "List"), ({"a": 1}, "Dictionary"),
        ((1, T), "Tuple"), ("a", "String"), (None, "None"), (slice(1), "Slice"), (..., "Ellipsis"), (add_none, "Function"),
    ],
)  # fmt: skip
def test_type_names(mode: str, value: Any, kind: str) -> None:
    assert Called(kinds)(value) == kind


def test_parameters_are_references_and_tensors(mode: str) -> None:
    p = Parameter(T, name="p")

    class Net(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.p = p

        def construct(self) -> Any:
            return kinds(self.p), add(self.p, self.p)

    kind, total = Net()()
    assert (kind, total.tolist()) == ("Ref", [102, 104])


def test_a_single_function_takes_everything(mode: str) -> None:
    only = C.MultitypeFuncGraph("only", read_value=True)
    only.register("Tensor")(lambda x: x)
    assert Called(only)(3) == 3


REGISTERED = (
    r"registered are \(Number, Number\), \(Tensor, Tensor\), \(Tuple, Tuple\), \(String, Number\), \(None, Float32\)\."
)


@pytest.mark.parametrize(
    ("args", "given"), [((T, 2), "Tensor, Int"), (([1], [2]), "List, List"), ((1,), "Int"), ((None, 1), "None, Int")]
)
def test_no_function_fits(mode: str, args: Any, given: str) -> None:
    with pytest.raises(ValueError, match=rf"'add' has no function for \({given}\): {REGISTERED}") as caught:
        Called(add)(*args)
    place = re.search(r"line \d+, column \d+, in Called.construct\n +return self.function\(\*args\)", str(caught.value))
    assert (place is not None) == (mode == "graph")


def test_registering_is_checked() -> None:
    with pytest.raises(TypeError, match="the 'name' must be a str, but got 3"):
        C.MultitypeFuncGraph(3)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="the type name 'Foo' is not supported; it must be one of Bool, Int"):
        add.register("Foo")
    with pytest.raises(ValueError, match=r"'empty' has no function for \(Int\): registered are nothing"):
        C.MultitypeFuncGraph("empty")(3)


NESTED = ((T, [T, (1, 2)], {"a": T}), (T, [T, (3, 4)], {"a": T}))
SUMS = ([102, 104], [[102, 104], (4, 6)], {"a": [102, 104]})


def test_hyper_map_goes_to_any_depth(mode: str) -> None:
    assert plain(Called(C.HyperMap(add))(*NESTED)) == SUMS
    assert plain(Called(C.HyperMap())(add, *NESTED)) == SUMS
    assert plain(Called(C.HyperMap(F.partial(add)))(*NESTED)) == SUMS
    assert plain(Called(C.HyperMap(ops.square))([T, (T,)])) == [[1, 4], ([1, 4],)]
    assert plain(Called(C.HyperMap(add))(T, T)) == [102, 104]
    assert plain(Called(C.HyperMap(add))((), ())) == ()


def test_map_is_one_level(mode: str) -> None:
    assert plain(Called(C.Map(add))((T, 1, (1,)), (T, 2, (2,)))) == ([102, 104], 3, (1, 2))
    assert plain(Called(C.Map())(P.Add(), [T, T], [T, T])) == [[2, 4], [2, 4]]
    assert Called(C.Map())(lambda x: x * 2, (1, 2)) == (2, 4)


def test_the_order_of_calls(mode: str) -> None:
    log = Parameter(Tensor(0.0), name="log", requires_grad=False)

    def noted(x: Any) -> Any:
        ops.assign(log, log * 10 + x)
        return x

    class Net(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.log = log

        def construct(self, x: Any, backwards: bool) -> Any:
            return C.HyperMap(noted, backwards)((x, x + 1, (x + 2,)))

    assert plain(Net()(Tensor(1.0), False)) == (1, 2, (3,))
    assert log.item() == 123
    ops.assign(log, 0.0)
    assert plain(Net()(Tensor(1.0), True)) == (1, 2, (3,))
    assert log.item() == 321


@pytest.mark.parametrize(
    ("args", "error", "words"),
    [
        (((T, T), (T,)), RuntimeError, "For 'HyperMap', all arguments must have one length, but got 2 and 1."),
        (((T, T), T), RuntimeError, "the structures of all arguments must be the same, but one is no tuple."),
        ((T, (T, T)), RuntimeError, "the structures of all arguments must be the same"),
        (([T], (T,)), RuntimeError, "one is no list."),
        (({"a": T}, {"b": T}), RuntimeError, r"all dicts must have the same keys, but got \['a'\] and \['b'\]"),
        ((), TypeError, "a call needs arguments to map over, but got none."),
    ],
)
def test_structures_that_differ(mode: str, args: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        Called(C.HyperMap(add))(*args)
    assert ("column" in str(caught.value)) == (mode == "graph")


def test_maps_are_checked(mode: str) -> None:
    with pytest.raises(
        TypeError, match="For 'HyperMap', the 'ops' must be a function or MultitypeFuncGraph, but got 3"
    ):
        C.HyperMap(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="For 'Map', the 'reverse' must be a bool, but got 3"):
        C.Map(add, 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="For 'Map', the arguments must be tuples or lists"):
        Called(C.Map(add))(1, 2)
    with pytest.raises(RuntimeError, match="For 'Map', all arguments must have one length, but got 2 and 1"):
        Called(C.Map(add))((1, 2), (1,))


def test_small_functions_of_containers(mode: str) -> None:
    assert plain(Called(C.zip_operation)((1, 2, 3), [T, 4])) == ((1, [1, 2]), (2, 4))
    assert plain(Called(C.hyper_add)((T, (T,)), (T, (T,)))) == ([2, 4], ([2, 4],))
    assert plain(Called(C.tail)((1, T, 3))) == ([1, 2], 3)
    assert C.GradOperation is ops.GradOperation
    assert C.HyperMap is ops.HyperMap
    assert C.MultitypeFuncGraph is ops.MultitypeFuncGraph
    for name in C.__all__:
        assert getattr(C, name).__doc__, name


def test_partial_functions(mode: str) -> None:
    def run(x: Any) -> Any:
        return ops.partial(add, 1)(2), P.Partial()(add, x)(x), F.partial(ops.sub, x)(x * 2)

    assert plain(Called(run)(T)) == (3, [102, 104], [-1, -2])
    for make in (ops.partial, P.Partial()):
        with pytest.raises(TypeError, match="the first argument must be a function, but got 3"):
            Called(make)(3, 1)


class Weighted(nn.Cell):
    """A training step as MindSpore's own optimizers write it."""

    def __init__(self) -> None:
        super().__init__()
        self.a = Parameter(Tensor([1.0, 2.0]), name="a")
        self.b = Parameter(Tensor(3.0), name="b")

    def construct(self, x: Any) -> Any:
        return (self.a * x * self.b).sum()


scale = C.MultitypeFuncGraph("scale")


@scale.register("Number", "Tensor")
def scale_gradient(by: Any, gradient: Any) -> Any:
    return gradient * by


def test_gradients_are_mapped_in_a_step(mode: str) -> None:
    net = Weighted()

    class Step(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.net = net
            self.grad = C.GradOperation(get_by_list=True)
            self.weights = ms.ParameterTuple(net.trainable_params())
            self.map = C.HyperMap()

        def construct(self, x: Any) -> Any:
            gradients = self.grad(self.net, self.weights)(x)
            scaled = self.map(F.partial(scale, 0.5), gradients)
            self.map(ops.assign_sub, self.weights, scaled)
            return C.clip_by_global_norm(scaled, 1.0)

    first, second = Step()(T)
    norm = np.sqrt(1.5**2 + 3.0**2 + 2.5**2)
    np.testing.assert_allclose(first.asnumpy(), np.array([1.5, 3.0]) / norm, rtol=1e-6)
    np.testing.assert_allclose(second.asnumpy(), 2.5 / norm, rtol=1e-6)
    assert net.a.tolist() == [-0.5, -1.0]
    assert net.b.item() == 0.5


def test_clipping(mode: str) -> None:
    clipped = Called(ops.clip_by_global_norm)([Tensor([3.0]), Tensor([4.0])], 2.0)
    assert isinstance(clipped, list)
    np.testing.assert_allclose(np.concatenate([c.asnumpy() for c in clipped]), [1.2, 1.6], rtol=1e-6)
    assert plain(Called(ops.clip_by_global_norm)((Tensor([3.0]),), 5)) == ([3.0],)
    assert plain(Called(C.clip_by_value)((T, [T]), 1.5)) == ([1.5, 2.0], [[1.5, 2.0]])
    for args, error, words in (
        ((T,), TypeError, "'x' must be a tuple or list of Tensors"),
        (((T, 3),), TypeError, "'x' must be a tuple or list of Tensors"),
        (((),), ValueError, "'x' must not be empty"),
        (((T,), -2.0), ValueError, r"the argument 'clip_norm' must > 0.0, but got -2.0"),
        (((T,), "a"), TypeError, "the argument 'clip_norm' must be a number, but got a"),
        (((T,), 1.0, 2.0), ValueError, "'use_norm' must be None, but got 2.0"),
    ):
        with pytest.raises(error, match=words):
            Called(ops.clip_by_global_norm)(*args)


CALLS: list[Any] = []


@ops.constexpr
def largest(shape: Any, *, times: int = 1) -> Any:
    """Uses what graphs do not have."""
    CALLS.append(shape)
    found: set[Any] = set()
    for each in iter(shape):
        found |= {each}
    return max(found) * times


def test_constexpr_runs_while_compiling(mode: str) -> None:
    CALLS.clear()
    net = Called(lambda x: x + largest(x.shape, times=2))
    assert net(T).tolist() == [5, 6]
    assert net(T).tolist() == [5, 6]
    assert ([(2,)] if mode == "graph" else [(2,), (2,)]) == CALLS
    assert (largest.name, repr(largest)) == ("largest", "Prim[largest]<constexpr_prim=True>")
    assert largest.__doc__ == "Uses what graphs do not have."
    assert ms.constexpr is ops.constexpr


def test_constexpr_gives_containers_and_classes(mode: str) -> None:
    made = ops.constexpr(get_instance=False, name="Halves")(lambda n: [n // 2, {"rest": n % 2}])

    def run(x: Any) -> Any:
        halves = made()(5)
        halves.append(x)
        return halves

    assert plain(Called(run)(T)) == [2, {"rest": 1}, [1, 2]]
    assert made().name == "Halves"


def test_constexpr_takes_constants_only() -> None:
    def run(x: Any) -> Any:
        return largest(x)

    with pytest.raises(
        TypeError,
        match=r"line \d+, column 16, in [^$]*largest runs while compiling and takes constants only: .*Float32",
    ):
        ms.jit(run)(T)
    with pytest.raises(TypeError, match="For 'constexpr', the 'fn' must be callable, but got 3"):
        ops.constexpr(3)  # type: ignore[arg-type]
