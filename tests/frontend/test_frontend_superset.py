"""Programs as people write them for graphs: compiled by both back ends they give what Python gives.

Each program stands after a comment with the arguments that it is called with.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from tests.frontend.programs import check, defined, t

X, S, N = t(1.0, 2.0, 3.0), t(2.5), t(3, dtype=ms.int32)
Y = ms.Tensor(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], np.float32))
PRELUDE = """
import collections, functools, math, operator
from typing import Any, NamedTuple
import numpy as np
import mindspore as ms
from mindspore import Parameter, Tensor, dtype as mstype, nn, ops
from mindspore.ops import functional as F, operations as P

GLOBAL, GDICT, GLIST, GT = 3, {"k": 4}, [1, 2], Tensor([1.0, 1.0, 1.0])

class Obj:
    k = 5
    def __init__(self, a): self.a = a
    def mul(self, x): return x * self.a + self.k

class NT(NamedTuple):
    a: Any
    b: Any = 2
"""

PROGRAMS = """
# X, S
def while_in_while(x,s):
    out = x
    a = s
    while a < 10:
        b = s
        while b < 5:
            out = out + b
            b += 1
        a += b
    return out, a

# X, S
def if_after_if(x,y):
    if y > 4: x = x + 1
    elif y > 2: x = x * 3
    else: x = x - 1
    if x[0] > 2: x = x + y
    if x[1] > 5 and y > 1 or x[2] < 0: x = -x
    return x

# X
def for_tuple_list(x):
    t = (1, 2, 3); l = [x, x + 1]
    for i in t:
        for e in l:
            x = x + e * i
    return x

# X
def np_inside(x):
    a = np.array([1, 2, 3])
    b = np.arange(3).astype(np.float32)
    return Tensor(a) + x, Tensor(b), a.shape

# X
def np_const(x):
    shape = np.zeros((2, 3)).shape
    return x + int(np.prod(shape)) + float(np.mean([1, 2]))

# X
def fmt(x):
    s = "a{}b{name}".format(1, name="n") + f"{x.shape}" + "%s" % (3,)
    return len(s), s

# X
def list_ops(x):
    l = [1, 2, 3, 4]
    l[1:3] = [7, 8, 9]
    l.append(x)
    l.insert(1, "k")
    m = [*l, 5]
    return m[-1], len(m), l[1:4], m[::-2]

# X
def nested_fn(x):
    def outer(a, b=2, *c, d, **e):
        def inner(z): return z * b + d + sum(c) + e.get("k", 0)
        return inner(a)
    return outer(x, 3, 4, 5, d=1, k=9)

# X
def closure_counter(x):
    n = 0
    def inc():
        nonlocal n
        n += 1
        return n
    inc(); inc()
    return x + n

# X
def early(x):
    for i in range(5):
        if i == 3: return x * i
        x = x + i
    return x

# X
def ternary_chain(x):
    y = 1 if x.ndim == 2 else (2 if x.shape[0] == 3 else 3)
    return x * y

# X, None
def none_arg(x, y):
    if y is None: return x
    return x + y

# X, {'a': X, 'b': 2}, [X, 1], (X, 's')
def containers_args(x, d, l, t):
    return x + d["a"] * d["b"] + l[0] * l[1] + t[0], t[1]

# X
def return_mixed(x):
    return {"a": x, "b": [x, 1], "c": (None, "s", 2.5, True)}

# X
def lambdas(x):
    f = [lambda a: a + 1, lambda a: a * 2]
    g = {"k": lambda a, b=3: a - b}
    for h in f: x = h(x)
    return g["k"](x)

# X
def compose(x):
    def c(*fs): return functools.reduce(lambda f, g: lambda v: g(f(v)), fs)
    return c(lambda v: v + 1, ops.relu, lambda v: v * 2)(x)

# X
def slices(x):
    return x[1:], x[:-1], x[::2], x[-1], x[None], x[..., 0], x[0:2][1]

# Y
def slices2(y):
    return y[0], y[:, 1], y[1, 2], y[0:1, ::2], y[..., -1], y[:, None, :], y[-1][0]

# Y
def setitem(y):
    y = y * 1
    y[0] = 5
    y[1, 2] = 7.5
    y[:, 0] = y[:, 1]
    y[0, 1:] += 1
    return y

# X
def for_tensor(x):
    s = 0
    for e in x: s = s + e * e
    return s

# Y
def for_tensor2(y):
    out = []
    for row in y:
        for e in row: out.append(e + 1)
    return out

# X
def shape_arith(x):
    n = x.shape[0]
    return ops.reshape(ops.tile(x, (2,)), (2, n)), n // 2, x.size

# X
def dtype_cmp(x):
    if x.dtype == mstype.float32: return x.astype(ms.float16)
    return x

# X
def isinst(x):
    r = 0
    for v in (1, 2.0, "s", [1], (1,), {"a": 1}, None, x, True):
        if isinstance(v, bool): r += 1
        elif isinstance(v, (int, float)): r += 10
        elif isinstance(v, (list, tuple)): r += 100
        elif isinstance(v, dict): r += 1000
        elif isinstance(v, Tensor): r += 10000
        elif v is None: r += 100000
    return x + r

# X
def prims(x):
    add = P.Add(); mul = P.Mul()
    return add(x, mul(x, 2)), P.ReduceSum()(x), P.ReLU()(-x)

# X
def chained(x):
    s = x.sum()
    if 1 < s < 10: return x + 1
    if 10 <= s != 12: return x
    return -x

# X
def while_else(x):
    i = 0
    while i < 3:
        i += 1
        x = x + i
    else:
        x = x * 2
    for j in []: x = x * 0
    else: x = x + 1
    return x

# X
def dict_loop(x):
    d = {"a": 1, "b": 2}
    for k, v in d.items():
        x = x + v
        if k == "a": x = x * 2
    for k in d: x = x + len(k)
    for v in d.values(): x = x - v
    return x, "a" in d, "z" not in d

# X
def unpack(x):
    a, (b, *c), d = x, (1, 2, 3), 4
    *e, f = [a, b, d]
    (g, h), i = (1, 2), 3
    return a, b, c, d, e, f, g + h + i

# X
def aug(x):
    x += 1; x -= 0.5; x *= 2; x /= 3; x **= 2; x //= 0.1; x %= 7
    n = 7; n //= 2; n <<= 2; n |= 1; n &= 13; n ^= 2; n >>= 1
    return x, n

# X
def enum_zip(x):
    r = x
    for i, (a, b) in enumerate(zip([1, 2], [x, x * 2])): r = r + a * b + i
    for i, e in enumerate(x): r = r + i * e
    for i, e in enumerate([x], start=5): r = r + i
    return r

# X
def recursion(x):
    def fact(n): return 1 if n <= 1 else n * fact(n - 1)
    def fib(n):
        if n < 2: return n
        return fib(n - 1) + fib(n - 2)
    return x * fact(5) + fib(10)

# X
def raise_const(x):
    if x.shape[0] != 3: raise ValueError(f"shape {x.shape}")
    assert x.ndim == 1, "one"
    return x

# X
def getattrs(x):
    f = getattr(x, "sum"); g = getattr(ops, "relu")
    return f(), g(x), hasattr(x, "foo"), getattr(x, "foo", 3)

# X
def global_use(x):
    return x + GLOBAL + GDICT["k"] + GLIST[1] + GT

# X
def tensor_create(x):
    return (
        Tensor([1, 2, 3], ms.float32) + x, Tensor(np.ones((3,), np.float32)), ops.zeros((2,), ms.float32),
        ops.ones_like(x), ops.full((2,), 3.0), ops.arange(3)
    )

# X
def star_calls(x):
    def f(a, b, c=0, **k): return a + b * c + sum(k.values())
    args = (x, 2); kw = {"c": 3, "z": 4}
    return f(*args, **kw), f(x, *[1], c=2), max(*[1, 2]), ops.add(*(x, x))

# X
def comp(x):
    a = [i * x for i in range(3) if i != 1]
    b = {k: v for k, v in zip("ab", a)}
    c = [[i + j for j in range(2)] for i in range(2)]
    d = sum(e.sum() for e in a)
    e = [u if u > 1 else -u for u in range(3)]
    f = tuple(v for v in a)
    return a, b, c, d, e, f

# S
def scalar_math(s):
    return s ** 2, s // 1, s % 2, -s, abs(s), s > 2, s == 2.5, 2 ** s, 1 / s, round(s)

# X
def tensor_methods_(x):
    return (
        x.sum(), x.mean(), x.max(), x.min(), x.abs(), x.exp(), x.reshape(3, 1), x.view(1, 3),
        x.T, x.astype(ms.int32), x.argmax(), x.all(), x.any(), x.expand_dims(0), x.squeeze(),
        x.transpose(), x.pow(2), x.sqrt(), x.flatten()
    )

# X
def pass_del(x):
    y = x
    if x.ndim == 1: pass
    del y
    global GLOBAL
    return x + GLOBAL

# X, S
def rt_branch_structs(x, s):
    if s > 2: a, b = x, [x, x * 2]
    else: a, b = x + 1, [x * 3, x]
    d = {"k": a} if s > 1 else {"k": -a}
    return a, b, d

# X, S
def rt_none(x, s):
    y = None
    if s > 1: y = x
    else: y = x * 2
    return y

# X, S
def rt_func(x, s):
    f = ops.relu if s > 1 else ops.exp
    return f(x)

# X, N
def for_range_rt(x, n):
    for i in range(n):
        if i == 1: continue
        x = x + ops.cast(i, ms.float32)
    return x

# X, N
def for_range_rt2(x, n):
    s = 0
    for i in range(1, n + 2, 2):
        s += i
        if s > 100: break
    else:
        s = s * 2
    return s + x

# X, S
def rt_list_in_loop(x, s):
    l = [x, x]
    i = 0
    while i < s:
        l[0] = l[0] + l[1]
        l[1] = l[1] * 2
        i += 1
    return l

# X
def obj_inside(x):
    o = Obj(2)
    o.a = 5
    return o.mul(x)

# X
def nts(x):
    n = NT(x); a, b = n
    return n.a * n.b + a + b, n[1], n._replace(b=3).b, len(n)

# X
def cells_inside(x):
    return nn.ReLU()(x) + nn.Tanh()(x)

# X
def grad_inside(x):
    f = lambda v: (v * v).sum()
    return ms.grad(f)(x), ops.grad(f)(x), ms.value_and_grad(f)(x)

# X
def stop(x):
    return ops.stop_gradient(x) + F.depend(x, x)

# X
def depend(x):
    return ops.depend(x, x + 1)

# X
def type_checks(x):
    return type(x) == Tensor, type(1.0).__name__, x.__class__ is Tensor

# X
def is_ops(x):
    y = x
    return y is x, y is not None, ([] is not None), True is True

# X
def in_tuple_of_str(x):
    m = "mean"
    if m in ("sum", "mean"): return x.mean()
    elif m not in {"a": 1}: return x
    return x.sum()

# X
def while_const(x):
    n = 0
    while True:
        n += 1
        if n > 4: break
        if n % 2: continue
        x = x + n
    return x

# X
def multi_assign(x):
    a = b = x
    a, b = b, a + 1
    c = d = []
    c.append(1)
    return a, b, d

# X
def deco(x):
    def twice(f):
        @functools.wraps(f)
        def g(*a, **k): return f(*a, **k) * 2
        return g
    @twice
    def h(v): return v + 1
    return h(x)

# X
def annotations(x: Tensor) -> Tensor:
    y: Tensor = x + 1
    def f(a: int = 2, *, b: "str" = "q") -> int: return a + len(b)
    return y * f()

# X
def od(x):
    d = collections.OrderedDict(a=x, b=1)
    return d["a"] + d["b"]

# X
def string_dict(x):
    cfg = dict(scale=2, shift=[1, 2])
    cfg["scale"] += 1
    cfg["new"] = x
    return cfg["new"] * cfg["scale"] + cfg["shift"][-1], cfg.get("none"), list(cfg)

# X
def tuple_index_neg(x):
    t = (x, 1, (2, x))
    return t[-1][1], t[:2][1], t[-1][-2], (t + (3,))[3], t * 2

# X, S
def nested_ifs_return(x, s):
    if s > 0:
        if s > 1:
            if s > 2: return x + 3
            return x + 2
        return x + 1
    return x

# X, S
def while_return_in_loop(x, s):
    while x.sum() < 100:
        x = x * s
        if x[0] > 20:
            for i in range(3):
                if x[1] > 30 + i: return x + i
        if x.max() > 80: break
    return -x
"""


def programs(text: str) -> list[Any]:
    """Name, arguments and source of each program."""
    blocks = re.split(r"\n\n(?=# )", text.strip())
    found = [(re.search(r"^(?:def|class) (\w+)", b, re.MULTILINE), *b.partition("\n")) for b in blocks]
    return [pytest.param(first[2:], source, id=m.group(1)) for m, first, _, source in found if m is not None]


@pytest.mark.parametrize(("arguments", "source"), programs(PROGRAMS))
def test_programs(arguments: str, source: str, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.id
    check(defined(PRELUDE + source, name), *eval(f"({arguments},)", globals()))


def test_the_table_is_whole() -> None:
    assert len(programs(PROGRAMS)) == 65
