"""More programs as people write them: exceptions, closures, containers and loops that meet each other."""

from __future__ import annotations

import pytest

from tests.frontend.programs import check, defined
from tests.frontend.test_frontend_superset import PRELUDE, N, S, X, programs

MORE = """
import enum

class Ctx:
    def __enter__(self): return 4
    def __exit__(self, *a): return None

class Own:
    def __init__(self, v): self.v = v; self.done = False
    def __enter__(self): return self
    def __exit__(self, a, b, c): self.done = True

class Color(enum.Enum): R = 2; G = 3

CTX = Ctx()
"""
ARGUMENTS = {"X": X, "S": S, "N": N}
PROGRAMS = """
# X
def grad_try(x):
    def f(v):
        try:
            w = v * v
            if v.ndim == 1: raise ValueError
        except ValueError:
            w = w * 3
        return w.sum()
    return ms.grad(f)(x)

# X
def grad_match(x):
    def f(v, k):
        match k:
            case 0: return v.sum()
            case n: return (v ** n).sum()
    return ms.grad(f)(x, 3)

# X, S
def with_rt(x, s):
    class_ = CTX
    with class_ as c:
        if s > 1: x = x * c
        else: x = x - c
    return x

# X
def ctx_in_graph(x):
    with Own(x) as o: y = o.v * 2
    return y, o.done

# X
def late_binding(x):
    fs = []
    for i in range(3): fs.append(lambda v: v * i)
    gs = [lambda v, k=k: v * k for k in range(3)]
    return [f(x) for f in fs], [g(x) for g in gs]

# X
def default_mutable(x):
    def f(a, acc=[]):
        acc.append(a)
        return len(acc)
    return f(x), f(x), f(x)

# X
def shadow(x):
    sum = 3
    len = lambda v: 7
    return x + sum + len(x)

# X
def try_loop_else(x):
    for i in range(3):
        try:
            if i == 1: raise KeyError(i)
        except KeyError as e:
            x = x + e.args[0]
            continue
        else: x = x * 2
        finally: x = x + 100
    return x

# X
def exc_in_call(x):
    def g(n):
        if n > 2: raise ZeroDivisionError("z")
        return n
    r = []
    for i in range(5):
        try: r.append(g(i))
        except ArithmeticError as e: r.append(str(e))
    return r, x

# X
def nested_finally(x):
    log = []
    def f():
        try:
            try:
                log.append(1)
                return 5
            finally: log.append(2)
        finally: log.append(3)
    return f(), log, x

# X
def reraise_from(x):
    try:
        try: raise KeyError("a")
        except KeyError as e: raise ValueError("b") from e
    except ValueError as v: return x + len(str(v))

# X
def dict_views(x):
    d = {"a": 1, "b": x}
    ks = d.keys()
    return len(ks), "a" in ks, list(ks)[0], len(d.values()), ("a", 1) in d.items()

# X
def zip_index(x):
    for i, (a, *b) in enumerate(zip([x, x], [1, 2], (3, 4))): x = x + a * b[0] + b[1] + i
    return x

# X
def str_iter(x):
    n = 0
    for c in "abc": n += ord(c)
    return x + n

# X
def range_neg(x):
    for i in range(5, -3, -2): x = x + i
    return x, list(range(3, 0, -1)), range(3)[-1], len(range(10, 0, -3))

# X, N
def rt_loop_try(x, n):
    for i in range(n):
        try: x = x + {}["k"]
        except KeyError: x = x + i
    return x

# X, S
def rt_if_comp(x, s):
    return [x * i if s > i else x for i in range(4)]

# X, S
def rt_cond_expr_nested(x, s):
    return (x if s > 3 else x * 2 if s > 2 else -x) + (1 if s > 0 else 2.5)

# X, S
def inner_fn_rt_return(x, s):
    def f(a):
        if s > a: return x * a
        return x
    return f(1) + f(5)

# X, S
def closure_rt_write(x, s):
    n = x
    def f():
        nonlocal n
        n = n + 1
    if s > 1: f()
    while n[0] < 5: f()
    return n

# X
def tuple_methods(x):
    t = (1, 2, 2)
    return t.count(2), t.index(2), sorted(t, reverse=True), t + (x,), t * 2, 2 in t, t[::-1], max(t), sum(t)

# X
def slices_vars(x):
    a, b = 0, 2
    s = slice(a, b)
    return x[a:b], x[s], [1, 2, 3][s], "abc"[s], (1, 2, 3)[a:b:1]

# X
def star_in_index(x):
    i = (0,)
    return x[*i], x[(*i,)]

# X
def cond_import(x):
    if x.ndim == 1: import math as m
    else: m = None
    return x * m.pi

# X
def assert_msgs(x):
    assert x.shape == (3,), f"bad {x.shape}"
    assert isinstance(x, Tensor)
    assert x.ndim in (1, 2) and not x.ndim == 2
    return x

# X
def complex_defaults(x):
    k = 3
    def f(a, b=k * 2, *, c=[1, 2], d={"q": x}): return a * b + c[-1] + d["q"]
    k = 100
    return f(x)

# X
def recursion_closure(x):
    def even(n): return True if n == 0 else odd(n - 1)
    def odd(n): return False if n == 0 else even(n - 1)
    return even(10), odd(7), x

# X, N
def for_rt_else_break(x, n):
    for i in range(n):
        if i > 10: break
        x = x + i
    else: x = x * 10
    return x

# X
def ann_only(x):
    y: int
    z: Tensor = x
    return z

# X
def enum_use(x):
    return x * Color.R.value, Color.R is Color.R, Color.R == Color.G, Color.G.name

# X
def deep_nest(x):
    return {"a": [{"b": (x, [1, {"c": x}])}]}["a"][0]["b"][1][1]["c"] + 1

# X
def str_fmt2(x):
    return "%s-%d-%.2f" % ("a", 3, 2.5), f"{3.14159:.{2}f}", f"{'a':>5}", f"{x.shape[0]=}", "{:03d}".format(7), "a" "b", r"\\n"

# X
def set_ops(x):
    s = {1, 2}
    return len(s), 1 in s, sorted(s | {3}), s == {2, 1}, sum(s)

# X
def multi_for_targets(x):
    d = {}
    for d["k"] in range(3): x = x + d["k"]
    a = [0]
    for a[0], b in [(1, 2), (3, 4)]: x = x + a[0] * b
    return x, d, a

# X
def aug_targets(x):
    d = {"k": [1, 2]}; d["k"][0] += 5; d["k"] += [x]
    o = Own(x); o.v += 1; o.v *= 2
    return d, o.v

# X
def chained_calls(x):
    return x.abs().sum().reshape((1,)).astype(ms.float16)
"""


@pytest.mark.parametrize(("arguments", "source"), programs(PROGRAMS))
def test_programs(arguments: str, source: str, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.id
    check(defined(PRELUDE + MORE + source, name), *[ARGUMENTS[a] for a in arguments.split(", ")])


def test_the_table_is_whole() -> None:
    assert len(programs(PROGRAMS)) == 36
