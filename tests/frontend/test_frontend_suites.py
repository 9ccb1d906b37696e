"""``with``, ``try``, ``del`` and ``import`` in compiled functions do what they do in Python."""

# ruff: noqa: B012, B023, C416, RET504, SIM107 -- the programs under test use each form of the language on purpose

from __future__ import annotations

import functools
from typing import Any

import pytest

import mindspore as ms
from mindspore import Parameter, nn
from tests.frontend.programs import check, t

X = t(1.0, 2.0)
COUNT = Parameter(t(0.0), name="count")


class Gives:
    """Gives its value; swallows exceptions of the class that it is told."""

    def __init__(self, value: Any, swallows: Any = ()) -> None:
        self.value, self.swallows = value, swallows

    def __enter__(self) -> Any:
        return self.value

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        return kind is not None and issubclass(kind, self.swallows)


class Counts(nn.Cell):
    """A Cell whose Parameter counts how often a block was left."""

    def __init__(self) -> None:
        super().__init__()
        self.left = Parameter(t(0.0), name="left")

    def __enter__(self) -> Any:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        self.left += 1.0 if kind is None else 10.0
        return True


THREE, FOUR, SWALLOWS = Gives(3), Gives(4), Gives(5, (ValueError, KeyError))


def several_items(x: Any) -> Any:
    with THREE as a, FOUR as b:
        y = x * a + b
    with THREE:
        y = y + a
    return y


def returns_inside(x: Any) -> Any:
    with THREE as a:
        if x.sum() > 2:
            return x + a
        x = x - a
    return x


def breaks_inside(x: Any) -> Any:
    for i in range(4):
        with THREE as a:
            if i == 0:
                continue
            if i == 3:
                break
            x = x + a
    return x


def swallows(x: Any) -> Any:
    n = 0
    with SWALLOWS as five:
        n = five
        raise ValueError("swallowed")
    return x + n


def assigns_to_parts(x: Any) -> Any:
    held = [0, 0]
    with THREE as held[0], FOUR as (held[1]):
        pass
    return x * held[0] + held[1]


def catches(x: Any) -> Any:
    try:
        y = x + {"a": 1}["b"]
    except (KeyError, IndexError) as error:
        y = x + len(error.args)
    else:
        y = x - 1
    return y


def goes_on_to_else(x: Any) -> Any:
    try:
        y = x + 1
    except ValueError:
        y = x
    else:
        y = y * 2
    finally:
        x = y + 1
    return x


def handler_sees_assignments(x: Any) -> Any:
    n, m = 1, x
    try:
        n = 2
        m = m * 3
        raise RuntimeError
    except RuntimeError:
        return m + n


def nested_handlers(x: Any) -> Any:
    try:
        try:
            x = x + 1
            raise ValueError("inner")
        except KeyError:
            x = x * 100
        finally:
            x = x + 10
    except Exception as error:
        x = x + len(str(error))
    return x


def raises_again(x: Any) -> Any:
    try:
        try:
            raise KeyError("k")
        except LookupError:
            x = x + 1
            raise
    except KeyError:
        x = x * 2
    return x


def finally_returns(x: Any) -> Any:
    try:
        return x + 1
    finally:
        return x + 2


def finally_after_return(x: Any) -> Any:
    log = [x]
    try:
        if x.sum() > 0:
            return log
        log[0] = x * 2
    finally:
        log.append(x * 3)
    return log


def in_loops(x: Any) -> Any:
    for i in range(5):
        try:
            if i == 1:
                continue
            if i == 2:
                raise RuntimeError("two")
            if i == 4:
                break
            x = x + 1
        except RuntimeError:
            x = x * 10
        finally:
            x = x + 100
    else:
        x = -x
    return x


def in_run_time_loop(x: Any) -> Any:
    while x.sum() < 50:
        try:
            x = abs(x) * 2
            z = {"a": 5}["missing"]
        except KeyError:
            x = x + 1
            z = 5
        finally:
            x = x + z
    return x


def out_of_a_while(x: Any) -> Any:
    n = 0
    try:
        while True:
            n += 1
            if n == 3:
                raise StopIteration
    except StopIteration:
        return x + n


def from_a_call(x: Any) -> Any:
    def fails(y: Any, n: int) -> Any:
        if n == 0:
            raise ZeroDivisionError
        return fails(y, n - 1) + 1 // n

    try:
        return fails(x, 3)
    except ZeroDivisionError:
        return x


def asserts(x: Any) -> Any:
    try:
        assert x.ndim == 2, "two dimensions"
    except AssertionError as error:
        return x + len(error.args)
    return x


def converts(x: Any, text: str) -> Any:
    try:
        n = int(text)
    except ValueError:
        n = -1
    return x + n


@pytest.mark.parametrize(
    "function",
    [
        several_items, returns_inside, breaks_inside, swallows, assigns_to_parts, catches, goes_on_to_else,
        handler_sees_assignments, nested_handlers, raises_again, finally_returns, finally_after_return, in_loops,
        in_run_time_loop, out_of_a_while, from_a_call, asserts,
    ],
)  # fmt: skip
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_with_and_try(function: Any, sign: float) -> None:
    check(function, X * sign)


@pytest.mark.parametrize("text", ["12", "twelve"])
def test_constants_that_do_not_convert(text: str) -> None:
    check(converts, X, text)


@pytest.mark.parametrize(("stop", "left"), [(0, 1.0), (1, 1.0), (2, 10.0)])
def test_exit_is_called_once_on_every_way_out(stop: int, left: float) -> None:
    class Net(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.counts = Counts()

        def construct(self, x: Any, stop: int) -> Any:
            with self.counts as counts:
                if stop == 0:
                    return x + counts.left
                if stop == 2:
                    raise ValueError
                x = x * 2
            return x

    for mode in (ms.GRAPH_MODE, ms.PYNATIVE_MODE):
        ms.set_context(mode=mode)
        net = Net()
        assert net(X, stop).asnumpy().tolist() == ([2.0, 4.0] if stop == 1 else [1.0, 2.0])
        assert net.counts.left.asnumpy() == left
    ms.set_context(mode=ms.PYNATIVE_MODE)


def test_exceptions_that_nothing_catches() -> None:
    def escapes(x: Any) -> Any:
        try:
            raise ValueError("out")
        except KeyError:
            return x

    with pytest.raises(ValueError, match=r'raise ValueError\("out"\)\n\s+\^\nout$'):
        ms.jit(escapes)(X)


def test_refusals_of_the_compiler_are_not_caught() -> None:
    def hides(x: Any) -> Any:
        try:
            return x + int("1" + str(x))
        except (TypeError, ValueError):
            return x

    with pytest.raises(TypeError, match="known while compiling"):
        ms.jit(hides)(X)


def test_raise_under_a_run_time_condition_inside_try() -> None:
    """More of these are in tests/compiler/test_caught.py."""

    def uncertain(x: Any) -> Any:
        try:
            if x.sum() > 0:
                raise ValueError
        except ValueError:
            x = x + 1
        return x

    check(uncertain, X)
    check(uncertain, X - 100)


def deletes(x: Any) -> Any:
    held, named = [x, x + 1, x + 2, x + 3], {"a": 1, "b": x}
    del held[0], named["a"], held[-1:]
    n = 5
    del n
    n = len(held) + len(named)
    return held[0] + named["b"] * n


def sets(x: Any) -> Any:
    given = {1, 2, 3}
    odd = {i for i in given if i % 2}
    return x + len(given) + sum(odd | {10}) + (2 in given) + len(given - odd) + sorted(given & {2, 3})[0] + min(odd)


def imports(x: Any) -> Any:
    import collections.abc as abc
    import math
    from functools import partial
    from functools import reduce as fold

    from mindspore import ops as o

    return o.square(x) + math.pi + fold(partial(lambda a, b, c: a + b + c, 1), [1, 2]) + len(abc.__name__)


def hidden_names(x: Any) -> Any:
    i = 10

    def reads() -> Any:
        return i

    found = [i for i in range(3)]
    functions = [lambda: i for i in range(3)]
    i = 20
    return x + reads() + sum(found) + functions[0]()


def annotated(x: Any) -> Any:
    n: int = 2
    m: int
    m = n
    return x * m


def decorated(x: Any) -> Any:
    def times(factor: int) -> Any:
        def decorator(function: Any) -> Any:
            @functools.wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                return function(*args, **kwargs) * factor

            return wrapper

        return decorator

    @times(3)  # type: ignore[untyped-decorator]
    @times(factor=2)  # type: ignore[untyped-decorator]
    def adds(y: Any, *, by: int = 1) -> Any:
        return y + by

    return adds(x) + adds(x, by=5)


def sets_attributes(x: Any) -> Any:
    held = Holder(x)
    setattr(held, "other", held.value * 2)  # noqa: B010 -- the built-in is what is tested
    return held.other + held.value


class Holder:
    def __init__(self, value: Any) -> None:
        self.value = value
        self.other = value


@pytest.mark.parametrize("function", [deletes, sets, imports, hidden_names, annotated, decorated, sets_attributes])
def test_statements(function: Any) -> None:
    check(function, X)


def test_sets_of_tensors_are_refused() -> None:
    with pytest.raises(TypeError, match="the elements of a set must be known while compiling"):
        ms.jit(lambda x: len({x, x}))(X)


def test_imports_that_fail() -> None:
    def function(x: Any) -> Any:
        try:
            import no_such_module  # type: ignore[import-not-found]
        except ImportError:
            no_such_module = None
        return x if no_such_module is None else no_such_module.f(x)

    check(function, X)


def test_deleting_from_what_lives_outside() -> None:
    with pytest.raises(TypeError, match=r"cannot delete from .* in a graph; only lists and dicts made in it"):
        ms.jit(_deletes_outside)(X)
    with pytest.raises(IndexError, match="out of range"):
        ms.jit(_deletes_too_far)(X)


HELD = [1, 2]


def _deletes_outside(x: Any) -> Any:
    del HELD[0]
    return x


def _deletes_too_far(x: Any) -> Any:
    held = [x]
    del held[1]
    return held


def test_f_strings_of_run_time_values() -> None:
    def constant(x: Any, n: int) -> Any:
        text = f"{n:03d} {x.shape!r} {n + 1 = } {'ab'} {n:{n}d}"
        return x + len(text), text

    check(constant, X, 5)
    assert ms.jit(lambda x: f"{x}")(X) == f"{X}"
