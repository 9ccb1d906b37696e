"""Programs that print, assert and raise do what they do in PYNATIVE mode: text, order, exceptions, Parameters."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, nn, ops
from mindspore.compiler.pipeline import Options, compile_call
from tests.compiler import effect_programs as programs
from tests.compiler.effect_programs import Counting, OwnError
from tests.outcomes import outcome, plain, same

pytestmark = pytest.mark.compiler
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def pynative() -> None:
    """Only what is marked is compiled."""
    ms.set_context(mode=ms.PYNATIVE_MODE)


def vector(*values: float) -> Tensor:
    return Tensor(np.asarray(values, np.float32))


@pytest.mark.parametrize("program", programs.PRINTING)
@pytest.mark.parametrize("x", [(1.0, 2.0, 3.5), (-1.0, 0.5, 0.25), (-20.0, 1.0, 2.0)])
def test_printing(program: Any, x: tuple[float, ...], capsys: Capture) -> None:
    found = same(lambda: program, capsys, vector(*x))
    assert found.printed or x[0] == -20


def test_bfloat16(capsys: Capture) -> None:
    def program(x: Any) -> Any:
        print(x, x + 1, [x])

    assert same(lambda: program, capsys, Tensor([1.5, 2.0], ms.bfloat16)).printed


def test_large_tensors_are_printed_as_numpy_does(capsys: Capture) -> None:
    def program(x: Any) -> Any:
        print(x, [x])

    assert "..." in same(lambda: program, capsys, Tensor(np.arange(6000.0).reshape(60, 100))).printed


def printing(*given: Any, **options: Any) -> Callable[[Any], None]:
    """A compiled function that prints its argument after `given`."""

    def show(x: Any) -> None:
        print(*given, x, **options)

    return ms.jit(show)


def test_every_call_prints(capsys: Capture) -> None:
    run = printing("x:")
    run(vector(1.0))
    run(vector(2.0))
    assert capsys.readouterr().out == "x: [1.]\nx: [2.]\n"


def test_text_may_be_returned(capsys: Capture) -> None:
    def program(x: Any) -> Any:
        return {"text": f"{x}", "both": (str(x.sum()), x)}, f"{x.sum():.1f}" if x.sum() > 0 else "none"

    assert same(lambda: program, capsys, vector(1, 2)).result[1] == "3.0"
    assert same(lambda: program, capsys, vector(-1, -2)).result[1] == "none"


def test_print_goes_where_stdout_is_at_the_time(capsys: Capture) -> None:
    import io
    import sys
    from contextlib import redirect_stdout

    run = printing()
    target = io.StringIO()
    run(vector(1))
    with redirect_stdout(target):
        run(vector(2))
    print("between")
    run(vector(3))
    printing(file=sys.stderr)(vector(4))
    assert target.getvalue() == "[2.]\n"
    assert capsys.readouterr() == ("[1.]\nbetween\n[3.]\n", "[4.]\n")


@pytest.mark.parametrize("name", ["Print", "print_"])
def test_the_print_primitive(name: str, capsys: Capture) -> None:
    show = ops.Print() if name == "Print" else ops.print_

    def program(x: Any) -> Any:
        show("x", x, 3, (x, 2.5))
        if x.sum() > 0:
            show(x.sum())
        return x

    first = same(lambda: program, capsys, vector(1, 2)).printed.split("\n")
    assert first[0] == "x"
    assert first[1].startswith("Tensor(shape=[2]")
    assert first[2] == "3"


@pytest.mark.parametrize("method", programs.METHODS)
@pytest.mark.parametrize("x", [(1.0, 2.0), (4.0, 3.0), (0.5, 1.0), (-1.0, -2.0)])
def test_parameters_are_as_python_leaves_them(method: str, x: tuple[float, ...], capsys: Capture) -> None:
    found = same(lambda: getattr(Counting(), method), capsys, vector(*x))
    assert found.parameters["count"] is not None


@pytest.mark.parametrize("program", programs.RAISING)
@pytest.mark.parametrize("x", [(1.0, 2.0), (2.0, 3.0), (-1.0, 0.5), (0.25, 0.5), (-7.0, 1.0), (10.0, 10.0)])
def test_raising(program: Any, x: tuple[float, ...], capsys: Capture) -> None:
    found = same(lambda: program, capsys, vector(*x))
    assert found.result is not None or found.printed


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_where_it_was_raised_and_called(backend: str) -> None:
    def inner(value: Any) -> Any:
        if value.sum() > 3:
            raise ValueError(f"bad {value}")
        return value

    def outer(value: Any) -> Any:
        return inner(value) + 1

    run = ms.jit(outer, backend=backend)
    assert run(vector(1)).asnumpy().tolist() == [2]
    first = inner.__code__.co_firstlineno
    for _ in range(2):
        with pytest.raises(ValueError, match="bad") as caught:
            run(vector(4))
        assert str(caught.value) == (
            f'File "{__file__}", line {first + 2}, column 13, in test_where_it_was_raised_and_called.inner\n'
            '    raise ValueError(f"bad {value}")\n'
            "    ^\n"
            f'called from File "{__file__}", line {first + 6}, column 16, in test_where_it_was_raised_and_called.outer\n'
            "    return inner(value) + 1\n"
            "bad [4.]"
        )
    assert run(vector(1)).asnumpy().tolist() == [2]


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_exceptions_of_own_classes(backend: str) -> None:
    def program(x: Any) -> Any:
        if x.sum() > 3:
            raise OwnError(7, x)
        return x

    run = ms.jit(program, backend=backend)
    for _ in range(2):
        with pytest.raises(OwnError, match=r"^code 7") as caught:
            run(vector(4))
        assert (caught.value.code, caught.value.value.asnumpy().tolist()) == (7, [4])
        assert [f"line {program.__code__.co_firstlineno + 2}," in note for note in caught.value.__notes__] == [True]


def test_what_is_raised_must_be_an_exception(capsys: Capture) -> None:
    def program(x: Any) -> Any:
        if x.sum() > 0:
            raise x
        return x

    with pytest.raises(TypeError, match="exceptions must derive from Exception"):
        ms.jit(program)(vector(1))
    with pytest.raises(TypeError, match="exceptions must derive from"):
        program(vector(1))


class Broken:
    """A stream that a reader has closed."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        if "stop" in text:
            raise BrokenPipeError("closed")
        self.text += text
        return len(text)

    def flush(self) -> None:
        assert self.text


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_exceptions_of_the_stream_stop_the_run(backend: str) -> None:
    stream = Broken()
    net = Counting()

    def program(x: Any) -> Any:
        net.count = net.count + 1
        print("one", x, file=stream)
        print("stop", file=stream)
        print("two", file=stream)
        return x

    with pytest.raises(BrokenPipeError, match="closed"):
        ms.jit(program, backend=backend)(vector(1))
    assert stream.text == "one [1.]\n"
    assert net.count.asnumpy() == 0


def test_interrupts_pass_through_effects() -> None:
    class Interrupting(Broken):
        def write(self, text: str) -> int:
            raise KeyboardInterrupt

    stream = Interrupting()
    with pytest.raises(KeyboardInterrupt):
        printing(file=stream)(vector(1))
    assert ms.jit(lambda x: x + 1)(vector(1)).asnumpy() == 2


def test_effects_may_run_compiled_code(capsys: Capture) -> None:
    def twice(v: Any) -> Any:
        return v * 2

    inner = ms.jit(twice)

    class Doubled(Broken):
        def write(self, text: str) -> int:
            self.text += str(inner(vector(len(text)))) if text else ""
            return len(text)

    stream = Doubled()
    outer = printing(end="", file=stream)
    outer(vector(1))
    assert stream.text == "[8.]"


def test_threads_have_their_own_effects() -> None:
    def program(x: Any) -> Any:
        while x.sum() < 50:
            x = x + 1
        if x.sum() > 40:
            raise ValueError(f"thread {x.sum() - 50:.0f}")
        return x

    run = ms.jit(program)
    found: dict[int, str] = {}

    def call(i: int) -> None:
        with pytest.raises(ValueError, match="thread") as caught:
            run(Tensor(float(50 + i)))
        found[i] = str(caught.value).rpartition("\n")[2]

    threads = [threading.Thread(target=call, args=(i,)) for i in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found == {i: f"thread {i}" for i in range(8)}


GRADIENTS: list[Callable[[Any], Any]] = [
    lambda f: ms.grad(f),
    lambda f: ms.value_and_grad(f),
    lambda f: ms.grad(lambda x: ms.grad(f)(x).sum()),
    lambda f: ms.grad(lambda x: (ms.grad(lambda v: (ms.grad(f)(v) * v).sum())(x) * x).sum()),
]


@pytest.mark.parametrize("order", range(4))
@pytest.mark.parametrize("program", programs.DIFFERENTIATED)
@pytest.mark.parametrize("x", [(1.0, 2.0), (0.5, 0.25), (2.5, 2.0), (8.0, 8.0)])
def test_differentiated_programs_do_it_once(program: Any, x: tuple[float, ...], order: int, capsys: Capture) -> None:
    found = same(lambda: lambda v: GRADIENTS[order](program)(v), capsys, Tensor(np.asarray(x, np.float64)))
    assert found.printed or isinstance(found.result, tuple)


def test_gradients_of_weights_and_their_updates(capsys: Capture) -> None:
    found = same(lambda: programs.Trained().step, capsys, vector(1, 2))
    assert found.printed == "loss 5.0 1\nstepped 5.0 [0.9 1.8]\n"
    failed = same(lambda: programs.Trained().step, capsys, vector(10, 20))
    assert failed.result == ("AssertionError", "diverged: 50.0")
    assert failed.parameters == {"weight": [1, 2], "seen": 1}


def test_effects_survive_when_nothing_depends_on_them(capsys: Capture) -> None:
    def program(x: Any) -> Any:
        for _ in range(2):
            print("same text")
        unused = x * 2
        print("unused", unused)
        return 1

    assert same(lambda: program, capsys, vector(1)).printed.count("same text") == 2


def test_a_thousand_effects_stay_in_order(capsys: Capture) -> None:
    def program(x: Any) -> Any:
        for i in range(1000):
            x = x + 1
            print(i, x)
        return x

    lines = outcome(lambda: program, "cpu", capsys, Tensor(0.0)).printed.split("\n")
    assert lines[:-1] == [f"{i} {i + 1}.0" for i in range(1000)]


def test_both_back_ends_agree_on_loops_with_effects() -> None:
    found: dict[str, list[str]] = {}
    for backend in ("cpu", "reference"):
        said: list[str] = []

        class Log(Broken):
            def write(self, text: str, said: list[str] = said) -> int:
                said += [text] if text else []
                return len(text)

        stream = Log()

        def program(x: Any, stream: Log = stream) -> Any:
            while x.sum() < 10:
                print(x.sum(), file=stream, end="")
                x = x * 2 + 1
            return x

        compile_call(program, (vector(1, 2),), {}, Options(backend)).run((vector(1, 2),), {})
        found[backend] = said
    assert found["cpu"] == found["reference"] == ["3.0", "8.0"]


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_values_that_are_computed_again_do_not_print_again(backend: str, capsys: Capture) -> None:
    def inner(x: Any) -> Any:
        print("inner", x)
        if x.sum() > 0:
            print("positive")
            x = x * x
        i = 0
        while i < 2:
            print("turn")
            x = x * x
            i += 1
        return x

    def program(x: Any) -> Any:
        return ms.recompute(inner, x * 2).sum()

    found = ms.jit(lambda x: ms.grad(program)(x), backend=backend)(Tensor(np.float64(1.0)))
    assert found.asnumpy() == 8 * 2**8
    assert capsys.readouterr().out == "inner 2.0\npositive\nturn\nturn\n"


def test_forward_mode_carries_effects_out_once(capsys: Capture) -> None:
    def program(x: Any) -> Any:
        return ms.jvp(programs.gradient_with_prints, x, x * 0.5)

    assert same(lambda: program, capsys, vector(1, 2)).printed.startswith("forward")


def test_pullbacks_carry_effects_out_once(capsys: Capture) -> None:
    def program(x: Any) -> Any:
        value, pull = ms.vjp(programs.gradient_with_prints, x)
        print("value", value)
        return pull(value)

    assert same(lambda: program, capsys, vector(1, 2)).printed.startswith("forward")


def test_pullbacks_that_leave_the_graph(capsys: Capture) -> None:
    def program(x: Any) -> Any:
        return ms.vjp(programs.gradient_with_prints, x)[1](Tensor(1.0))

    wanted = outcome(lambda: program, "python", capsys, vector(1, 2))
    ms.set_context(mode=ms.GRAPH_MODE)
    _, pull = ms.vjp(programs.gradient_with_prints, vector(1, 2))
    assert capsys.readouterr().out == wanted.printed
    np.testing.assert_allclose(plain(pull(Tensor(1.0))), wanted.result, rtol=1e-5)
    assert capsys.readouterr().out == ""


def test_effects_of_functions_with_a_gradient_of_their_own(capsys: Capture) -> None:
    class Own(nn.Cell):
        def construct(self, x: Any) -> Any:
            print("own", x)
            return x * x

        def bprop(self, x: Any, out: Any, dout: Any) -> Any:
            return (dout * x * 3,)

    own = Own()
    assert same(lambda: lambda x: ms.grad(lambda v: own(v).sum())(x), capsys, vector(1, 2)).printed == "own [1. 2.]\n"


def test_prints_inside_try(capsys: Capture) -> None:
    def program(x: Any) -> Any:
        try:
            print("trying", x)
            {"a": 1}["b"]
        except KeyError as error:
            print("caught", error, x)
        finally:
            print("finally")
        return x

    assert same(lambda: program, capsys, vector(1)).printed == "trying [1.]\ncaught 'b' [1.]\nfinally\n"


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_symbolic_sizes_are_printed_as_they_are(backend: str, capsys: Capture) -> None:
    def program(x: Any) -> Any:
        print(x.shape, f"{x.shape[0]} {x.shape}", str(x.shape), "%d" % x.shape[0], "{}".format(x.shape), x * 2)  # noqa: UP031, UP032
        if x.sum() > 10:
            raise ValueError(f"{x.shape} {len(x)}")
        return f"{x.shape}"

    run = ms.jit(program, backend=backend)
    for count in (2, 3, 4, 5):
        wanted = outcome(lambda: program, "python", capsys, vector(*[1.0] * count))
        assert plain(run(vector(*[1.0] * count))) == wanted.result == f"({count},)"
        assert capsys.readouterr().out == wanted.printed
        with pytest.raises(ValueError, match=rf"\n\({count},\) {count}$"):
            run(vector(*[20.0] * count))


def test_recursion_with_effects(capsys: Capture) -> None:
    program = programs.recursive
    assert same(lambda: program, capsys, vector(3)).printed.count("up") == 3
    assert same(lambda: program, capsys, vector(7)).result == ("AssertionError", "too deep: 7")


@pytest.mark.parametrize("program", [programs.numbers, programs.ended_by_raising, programs.attributes_of_errors])
@pytest.mark.parametrize("x", [(1.0, 2.0), (4.0, 5.0), (-3.0, 0.0)])
def test_numbers_of_the_run_are_python_numbers(program: Any, x: tuple[float, ...], capsys: Capture) -> None:
    assert same(lambda: program, capsys, vector(*x)).printed


@pytest.mark.parametrize("summarize", [1, 3])
def test_the_assert_primitive(summarize: int, capsys: Capture) -> None:
    check = ops.Assert(summarize)

    def program(x: Any) -> Any:
        check(x.sum() < 5, [x, x * 2])
        return x

    assert same(lambda: program, capsys, vector(1, 2, 1)).result == [1, 2, 1]
    kind, message = same(lambda: program, capsys, vector(1, 2, 3)).result
    assert kind == "RuntimeError"
    assert message.endswith("[1.], [2.]." if summarize == 1 else "[1. 2. 3.], [2. 4. 6.].")
    with pytest.raises(TypeError, match="'summarize' must be an int, but got 'a'"):
        ops.Assert("a")
