"""Programs that print, assert and raise; ordinary Python, so that pytest does not rewrite their asserts."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops


class Pair(NamedTuple):
    left: Any
    right: Any


def values(x: Any) -> Any:
    print()
    print(x, x.sum(), 1, "a", 2.5, None, True)
    print((x, 1), [x, "b"], {"k": x, 2: (x.sum(),)}, Pair(x, 3))
    print(x, x, sep="")
    print("a", x, sep=" | ", end="<\n")
    print(x.shape, x.dtype, ms.int32, len(x))


def formatted(x: Any) -> Any:
    total = x.sum()
    print(f"{x} {total} {total:.3f} {total:>12.4e} {x!r} {x!s:>20} {len(x):03d}")
    width = 9
    print(f"{total:{width}.2f}|")
    print("%s and %r" % (x, total), "{} {n:.2f}".format(x, n=total), str(x) + repr(total))  # noqa: UP031, UP032
    text = f"<{x}>"
    text += "tail"
    print(text.upper(), ", ".join([text, str(total)]), text * 2, "a%s" % total)  # noqa: UP031


def text_parts(x: Any) -> Any:
    rows = [f"{v:.1f}" for v in x]
    print(" ".join(rows))
    line = ""
    for i in range(3):
        line = line + f"[{i}: {x[i]:.2f}]"
    print(line)


def lists_as_they_are(x: Any) -> Any:
    found: list[Any] = [x]
    table = {"x": x}
    print(found, table)
    text = f"{found}"
    found.append(x + 1)
    table["y"] = x * 2
    print(found, table, text)


def branches(x: Any) -> Any:
    print("start")
    if x.sum() > 0:
        print("positive", x)
        y = x * 2
        print("twice", y)
    elif x.sum() < -10:
        print("very negative")
        y = -x
    else:
        y = x
    print("end", y)
    return y


def chosen_text(x: Any) -> Any:
    sign = "positive" if x.sum() > 0 else f"not positive: {x.sum():.1f}"
    print(sign, f"({sign})", sign + "!")
    return x


def loops(x: Any) -> Any:
    i = 0
    while x.sum() < 20:
        print(i, x)
        x = x + 1.5
        i += 1
        if i == 2:
            print("second")
            continue
        if x.max() > 9:
            print("leaving")
            break
    else:
        print("else")
    for j in range(2):
        print("for", j, x)
    return x


def nested_loops(x: Any) -> Any:
    n = x.astype(ms.int32)[0]
    for i in range(n + 3):
        for j in range(i):
            print("at", i, j)
        if i % 2 == 1:
            print("odd", i)
    return x


def called(x: Any) -> Any:
    def show(name: str, value: Any) -> Any:
        print(name, value)
        return value

    def twice(function: Callable[..., Any]) -> Any:
        return function("a", x) + function("b", x + 1)

    both = show("left", x).sum() > 0 and show("right", x).sum() > 100
    either = x.sum() > 0 or show("never here for positive", x).sum() > 0
    return twice(show), show("c", x) if both else show("d", -x), either


def conditions(x: Any) -> Any:
    def smaller(value: Any, limit: Any) -> Any:
        print("test", value)
        return value.sum() < limit

    while smaller(x, 10):
        x = x + 2
    return x


def partials(x: Any) -> Any:
    say = functools.partial(print, "said:", sep="-")
    say(x)
    emit = print
    emit(x)
    return x


def empty(x: Any) -> Any:
    print(x[:0], x.sum() > 0, x.astype(ms.int8), x.astype(ms.float16), x.astype(ms.bool_), x.astype(ms.float64))
    print(ops.zeros((2, 0)), Tensor(3), Tensor([1 + 2j]))


PRINTING = [
    values, formatted, text_parts, lists_as_they_are, branches, chosen_text, loops, nested_loops, called, conditions, partials, empty,
]  # fmt: skip


class Counting(nn.Cell):
    """Writes Parameters between effects."""

    def __init__(self) -> None:
        super().__init__()
        self.count = Parameter(Tensor(0.0), name="count")
        self.total = Parameter(Tensor([0.0, 0.0]), name="total")

    def show(self, name: str) -> None:
        print(name, f"{self.count:.1f}", self.total + 0, self.count.value())

    def straight(self, x: Any) -> Any:
        self.show("first")
        self.count = self.count + 1
        self.show("second")
        ops.assign(self.total, x)
        self.show("third")
        self.count += self.total.sum()
        self.show("fourth")
        print(self.count, [self.total], (self.count, 1))
        return self.count * 2

    def branching(self, x: Any) -> Any:
        if x.sum() > 0:
            self.count = self.count + 1
            self.show("then")
            self.total = self.total + x
        else:
            self.show("else")
            self.count = self.count - 1
        self.show("after")
        return self.count + self.total.sum()

    def looping(self, x: Any) -> Any:
        while self.count < x.sum():
            self.count = self.count + 1
            if self.count > 2:
                self.show("more than two")
                self.total = self.total + x
        self.show("end")
        return self.total

    def raising(self, x: Any) -> Any:
        self.count = self.count + 1
        assert x.sum() > 0, f"sum {x.sum()} at {self.count:.0f}"
        self.total = self.total + x
        if x.sum() > 5:
            self.count = self.count + 10
            raise ValueError(f"large: {self.total + 0}")
        self.count = self.count + 100
        return self.count

    def raising_in_a_loop(self, x: Any) -> Any:
        self.total = self.total + 1
        for i in range(x.astype(ms.int32)[0]):
            self.count = self.count + 1
            if self.count > 2:
                raise RuntimeError(f"turn {i}, {self.count:.0f}")
            self.total = self.total * 2
        self.count = self.count + 50
        return self.total

    def checked_by_calls(self, x: Any) -> Any:
        self.positive(x)
        self.total = self.total + x
        self.positive(x - 1)
        return self.total

    def positive(self, x: Any) -> None:
        self.count = self.count + 1
        if not x.min() > 0:
            raise ValueError(f"{x} is not positive")

    def tested(self, x: Any) -> Any:
        while self.step(x):
            x = x - 1
            print("turn", x)
        return x

    def step(self, x: Any) -> Any:
        self.count = self.count + 1
        print("step", f"{self.count:.0f}")
        return x.sum() > 0


METHODS = [
    "straight", "branching", "looping", "raising", "raising_in_a_loop", "checked_by_calls", "tested",
]  # fmt: skip


class OwnError(Exception):
    def __init__(self, code: int, value: Any) -> None:
        super().__init__(f"code {code}")
        self.code, self.value = code, value


def raises_in_then(x: Any) -> Any:
    if x.sum() > 3:
        raise ValueError("too large", x)
    return x + 1


def raises_in_else(x: Any) -> Any:
    if x.sum() <= 3:
        y = x + 1
        print("fine", y)
    else:
        print("bad")
        raise KeyError(f"{x}")
    print("after", y)
    return y * 2


def raises_in_a_chain(x: Any) -> Any:
    if x.sum() < 0:
        found = [x, "negative"]
    elif x.sum() < 3:
        raise TypeError("middle: %s" % x.sum())  # noqa: UP031
    elif x.sum() < 5:
        found = [x * 2, "large"]
    else:
        raise RuntimeError
    return found


def keeps_functions(x: Any) -> Any:
    if x.sum() > 3:
        raise ValueError(f"{x}")
    scale = x.sum()
    table = {"f": lambda v: v * scale}
    table["g"] = lambda v: table["f"](v) + 1
    return table["g"](x)


def raises_when_called(x: Any) -> Any:
    def refuse(value: Any) -> Any:
        print("refusing", value)
        raise OverflowError(f"{value} is refused")

    def checked(value: Any) -> Any:
        return value if value.sum() < 3 else refuse(value)

    kept = x.sum() < 4 or refuse(x + 1)
    return checked(x) + checked(x * 0.5), kept


def raises_always(x: Any) -> Any:
    print("before", x)
    raise ValueError(f"always: {x}")


def raises_after_a_check(x: Any) -> Any:
    assert x.sum() < 3, "first"
    raise ValueError("second")


def raises_in_nested_loops(x: Any) -> Any:
    while x.sum() < 30:
        for i in range(x.astype(ms.int32)[0]):
            if i > 4:
                raise IndexError(f"i is {i}, x is {x}")
            x = x + 1
        print(x)
        x = x + 1
    else:
        raise StopAsyncIteration(f"{x}")
    return x


def raises_in_the_body(x: Any) -> Any:
    while x.sum() > 3:
        print("once")
        raise ValueError(f"in the body: {x}")
    return x


def raises_from_the_condition(x: Any) -> Any:
    def test(value: Any) -> Any:
        if value.sum() > 10:
            raise ValueError(f"from the condition: {value}")
        return value.sum() > 1

    while test(x):
        x = x + 3
    return x


def asserts(x: Any) -> Any:
    assert x.sum() < 100
    assert x.min() > -5, x
    assert (x.sum() < 3) and x.sum() > -3, f"{x} is out of range"  # noqa: PT018
    for i in range(2):
        assert x[i] < 2.5, ("at", i, x[i])
    return x


def two_errors(x: Any) -> Any:
    first = x.sum() > 3
    second = x.sum() > -100
    if first:
        raise ValueError("first")
    if second:
        raise TypeError("second")
    return x


def endless_without_its_check(x: Any) -> Any:
    if x.min() < 0:
        raise ValueError("negative")
    n = x[0] * 0 + 2
    while n != 0:
        n = n - 1
        x = x + n
    return x


def early_return(x: Any) -> Any:
    if x.sum() > 10:
        return "large"
    if x.sum() > 3:
        raise ValueError(f"{x}")
    if x.sum() > 0:
        return "small"
    raise TypeError(f"{x}")


RAISING = [
    raises_in_then, raises_in_else, raises_in_a_chain, keeps_functions, raises_when_called, raises_always, raises_after_a_check,
    raises_in_nested_loops, raises_in_the_body, raises_from_the_condition, asserts, two_errors, endless_without_its_check, early_return,
]  # fmt: skip


def gradient_with_prints(x: Any) -> Any:
    print("forward", x)
    y = x * x
    if y.sum() > 1:
        print("large", y)
        y = y * x
    else:
        y = y + x
    i = 0
    while i < 2:
        print("turn", i, y)
        y = y * y
        i += 1
    for each in range(x.astype(ms.int32)[0]):
        print("for", each)
        y = y * 0.5
    print(f"{y.sum():.3f}")
    return y.sum()


def gradient_with_checks(x: Any) -> Any:
    assert x.sum() < 10, f"{x}"
    y = x * x
    while y.sum() < 20:
        if y.max() > 12:
            raise ValueError(f"{y}")
        print(y)
        y = y * 1.5
    if y.sum() > 25:
        raise KeyError(f"{y.sum():.3f}")
    return y.sum()


def always_raises(x: Any) -> Any:
    print("about to", x)
    raise ValueError(f"{x * 2}")


def recursive(x: Any) -> Any:
    def down(n: Any, x: Any) -> Any:
        print("down", n, x)
        assert n < 5, f"too deep: {n}"
        if n <= 0:
            print("bottom")
            return x
        y = down(n - 1, x * 2)
        print("up", n, y)
        return y + n

    return down(x.astype(ms.int32)[0], x)


class Trained(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.weight = Parameter(Tensor([1.0, 2.0]), name="weight")
        self.seen = Parameter(Tensor(0.0), name="seen")

    def loss(self, x: Any) -> Any:
        self.seen = self.seen + 1
        out = (x * self.weight).sum()
        print("loss", out, f"{self.seen:.0f}")
        assert out < 20, f"diverged: {out}"
        return out

    def step(self, x: Any) -> Any:
        value, gradient = ms.value_and_grad(self.loss, None, [self.weight])(x)
        self.weight = self.weight - 0.1 * gradient[0]
        print("stepped", value, self.weight + 0)
        return value


DIFFERENTIATED = [gradient_with_prints, gradient_with_checks, always_raises]


def numbers(x: Any) -> Any:
    i, total, flag = 0, 0.5, False
    while x.sum() < 10:
        x = x + 1
        i += 1
        total = total * 2 + i
        flag = i > 2
        print((i, "x"), [total], {"flag": flag}, f"{i:03d} {total:.2f} {flag}", repr(i), (-i, i * 2, i // 2, i / 4))
    for j in range(x.astype(ms.int32)[0]):
        print([j, x.sum() > j])
    chosen = 3 if x.sum() > 100 else i
    print((chosen, chosen + x.sum()))
    return x


def ended_by_raising(x: Any) -> Any:
    while True:
        x = x + 1
        print("turn", x)
        if x.sum() > 10:
            raise StopIteration(f"{x}")


def attributes_of_errors(x: Any) -> Any:
    error = ValueError("a", 3)
    print(error.args, x)
    return error.args[1]
