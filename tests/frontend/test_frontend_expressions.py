"""Built-in functions, methods and modules of Python mean in compiled functions what they mean in Python.

Each line is the body of a lambda over a tensor ``x``, two 0-d ones and a list.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mindspore as ms
from tests.frontend.programs import check, defined, plain, t

SAME = """\
int(2.7) + x
int("12") + x
round(2.567, 1) + x
round(x)
abs(-x)
divmod(7, 2)
pow(x, 2)
pow(2, 10, 7) + x
str(5), str((1, 2)), repr("a"), ascii("é"), format(3.14159, ".2f")
list("abc"), list(range(3)), list(x), tuple(x), tuple([x, 1])
dict(a=1, b=x), dict([("a", x)], b=2), dict({"a": x}, c=3), dict(zip(["a", "b"], [x, 1])), dict()
len({1, 2}), len(frozenset((1, 2))), len(x), len("abc"), len(range(0, 10, 3)), len([x]), len({"a": x})
isinstance(x, Tensor), isinstance(1, (int, float)), isinstance([x], list), isinstance((x,), tuple), isinstance(x, (list, Tensor))
isinstance({"a": x}, dict), isinstance(x.shape, tuple), isinstance(int, type), isinstance(None, type(None)), issubclass(bool, int)
type(1) is int, type(x) is Tensor, type([x]) is list, type(x.dtype) == type(ms.float32)
all([True, 1]), any([0, []]), all([]), any(())
x if s > 1 and i else -x, x if i and s > 1 and x.ndim else -x, x if not (s > 99 and i) else -x, x if s or i > 99 else -x
any(i > 2 for i in range(5)), all(i > 2 for i in (3, 4))
max(1, 2, 3), max([1, 5, 2], key=lambda v: -v), min([], default=7), max((1, 2), (1, 3)), max("a", "bb", key=len), min(3, 1)
min([(2, x), (1, x)], key=lambda p: p[0])[0], max([x], default=1), max([x, -x], key=lambda v: v.ndim)
max(x), min(x), max(x[0], x[1]), max([x[0], x[1]]), max(s, 1)
sum([1, 2, 3]), sum([x, x]), sum([x, x], x), sum(x), sum((i for i in range(4)), 10), sum(i * x for i in range(3))
list(map(lambda a, b: a + b, [1, 2], [x, x])), list(map(len, ["a", "bc"]))
list(filter(None, [0, 1, 2])), list(filter(lambda v: v > 1, [1, 2, 3]))
list(zip([1, 2], (x, x))), list(zip((1, 2), (3, 4), strict=True)), list(zip([1, 2, 3], [x])), list(zip())
list(enumerate([x, x], 1)), list(enumerate("ab", start=2)), list(enumerate(zip([1], [x])))
list(reversed([1, 2, x])), list(reversed(range(3))), list(reversed({"a": 1, "b": 2}))
sorted([3, 1, 2]), sorted([3, 1, 2], reverse=True), sorted(["bb", "a"], key=len), sorted({"b": 1, "a": 2}), sorted((2, 1))
sorted([(2, x), (1, x)], key=lambda p: p[0]), sorted({"b": x, "a": -x}.items(), key=lambda kv: kv[0], reverse=True)
next(iter([x, 1])), next(iter([]), x), next((i for i in range(9) if i * i > 20), None)
[(lambda it: (next(it), list(it), list(it)))(iter([1, 2, x]))]
(lambda it: list(zip(it, it)))(iter([1, 2, 3, 4]))
(lambda it: ([v for v in it], next(it, "empty")))(map(lambda v: v, [1, x]))
hash("a") == hash("a"), callable(len), callable(lambda: 1), callable(3), chr(97) + str(ord("b")), bin(5) + hex(255) + oct(8)
"{} {:>4}".format(1, 2), "%d-%s" % (1, "a"), "a,b".split(","), "abc".upper(), ",".join(["a", "b"]), "abc"[::-1], "b" in "abc"
"abc".startswith("a"), "abc".replace("a", "b"), "abc".index("c"), "a" * 3, "a" < "b", " a ".strip(), "ab".encode(), "1".zfill(3)
math.sqrt(4) + x, math.pi * x, math.fabs(-2) + x, math.prod([1, 2, 3]) + x, math.inf > 1, math.ceil(x.shape[0] / 3), math.gcd(4, 6)
math.prod([x, 2], start=3), math.factorial(4)
type(x) == Tensor, type(1.0).__name__, x.__class__ is Tensor, (1).__class__ is int, list(collections.OrderedDict(a=x, b=1).items())
operator.add(x, 1), operator.mul(x, x), operator.neg(x), operator.getitem([x, 1], 0), operator.truth([1]), operator.not_(True)
operator.contains([1, 2], 1), operator.is_(x, x), operator.is_not(x, None), operator.sub(3, 1), operator.concat([x], [1])
functools.reduce(lambda a, b: a * b, [x, x, 2]), functools.reduce(operator.add, [1, 2, 3], 10), functools.reduce(operator.mul, x)
functools.partial(lambda a, b: a - b, b=1)(x), functools.partial(max, 3)(1, 2)
list(itertools.chain([1], [x])), list(itertools.chain.from_iterable([[1], [x]]))
list(itertools.product([1, 2], "ab")), list(itertools.product([1, 2], repeat=2)), list(itertools.product([x], [1]))
list(itertools.zip_longest([1, 2], [x], fillvalue=0)), list(itertools.zip_longest("ab", [1]))
list(itertools.accumulate([1, 2, 3])), list(itertools.accumulate([x, x])), list(itertools.accumulate([1, 2], max, initial=5))
list(itertools.islice([1, 2, 3, 4], 1, 3)), list(itertools.islice(itertools.count(), 3)), list(itertools.islice(iter([1, x]), 1))
list(itertools.repeat(x, 2)), list(zip(itertools.repeat(1), [x])), list(zip(itertools.count(1), [x, x]))
list(zip("ab", itertools.cycle([x, 1])))
list(itertools.starmap(pow, [(2, 3), (3, 2)])), list(itertools.starmap(lambda a, b: a + b, [(x, 3), (3, x)]))
list(itertools.combinations([1, x, 3], 2)), list(itertools.permutations([1, 2], 2)), list(itertools.pairwise([1, 2, x]))
list(itertools.combinations_with_replacement([1, 2], 2)), list(itertools.compress([x, 1, 2], [1, 0, 1]))
list(itertools.takewhile(lambda v: v < 3, [1, 2, 3])), list(itertools.dropwhile(lambda v: v < 3, [1, 3]))
list(itertools.filterfalse(None, [0, 1]))
[next(c) for c in [itertools.count(5, 2)] for _ in range(3)]
(1, 2, 1).count(1), (1, 2, 1).index(2), (1, 2, 1).index(1, 1), [1, x].index(1), [x, 2].index(x), [2, 1, 2].index(2, 1, 3)
[1, 2, 3].index(2), [1, 2, 2].count(2), [x, x].copy()
[1, 2] + [x], [x] * 2, (x,) * 3, 2 * [1], [1, 2] == [1, 2], (1, 2) < (1, 3), [1, 2] > [0], (1, x)[1], [x, 1, 2][1:], x.shape + (1,)
{"a": 1} | {"b": x}, {**{"a": 1}, "b": x}, list({"a": 1, "b": x}.keys()), list({"a": 1, "b": x}.values()), list({"a": 1, "b": x}.items())
{"a": x}.get("b", 3), {"a": x}.get("a"), "a" in {"a": x}, 1 in [1, x], dict.fromkeys(["a", "b"], 0)
{k: v for k, v in {"a": x, "b": 1}.items()}, {i: x * i for i in range(3) if i % 2}, {i: {j: x for j in range(i)} for i in range(2)}
[[j for j in range(i)] for i in range(3)], [i * j for i in range(3) for j in range(i) if j], [a for a in x], [*x, 1], (*[1, 2], x)
(lambda *a, k=2, **kw: a[0] * k + kw["z"])(x, z=3), (lambda a, /, b=3, *c, d: (a, b, c, d))(x, *[1, 2], **{"d": 5})
1 < 2 < 3, 3 > 2 > 2, x if s > 1 else -x, not [], 0 or x, None or x, [] or 5, 1 and x
x[slice(0, 1)], getattr(x, "shape"), getattr(x, "nope", 5), hasattr(x, "shape"), hasattr(x, "nope"), x.shape[0] + x
ops.cast(3, ms.float32), ops.cast(True, ms.int32), ops.cast(2.5, ms.int32), ops.add(1, x), ops.exp(1.0), ops.sqrt(4), ops.pow(2, x)
bool(None), bool([x]), bool([]), bool({}), int(True) + x, float("inf") > 1, complex(1, 2), bytes(3), object() is None
x is None, x is not None
np.array([1, 2]).sum() == 3, np.pi * x, np.ones((2,)).shape, np.arange(3).tolist(), np.float32(2) * x
np.array([1.0, 2.0]).astype(np.float32) + x
{"a": [x, {"b": x}]}["a"][1]["b"], x == None, x != None, 3 in range(5), range(5)[2], list(range(5))[1:3], range(3) == range(3)
{1, 2} | {3}, {1, 2} & {2}, {1, 2} - {2}, {1, 2} ^ {2, 3}, {1, 2}.union([5]), {1} <= {1, 2}, frozenset({1}) == {1}, {1, 2} == {2, 1}
"""  # fmt: skip

TENSORS = """\
math.exp(s) | math.exp(2.5)
math.sqrt(s) | math.sqrt(2.5)
math.log(s) | math.log(2.5)
math.log(s, 3) | math.log(2.5, 3)
math.log(s, i) | math.log(2.5, 3)
math.sin(s) + math.cos(s) | math.sin(2.5) + math.cos(2.5)
math.sqrt(i) | math.sqrt(3)
math.pow(s, 2) | 6.25
math.pow(2, s) | 2**2.5
math.atan2(1, s) | math.atan2(1, 2.5)
math.floor(s) | 2
math.ceil(s) | 3
math.trunc(-s) | -2
math.floor(i) | 3
math.isnan(s) | False
math.degrees(s) | math.degrees(2.5)
math.radians(i) | math.radians(3)
math.fsum([s, 1]) | 3.5
operator.lt(s, 3) | True
int(s) | 2
float(i) | 3.0
bool(s) | True
bool(s - s) | False
divmod(i, 2)[0] + divmod(i, 2)[1] | 2
all([s > 0, i > 0, True]) | True
all([s > 0, i > 5]) | False
all([s > 0, False]) | False
any([s > 5, i > 5]) | False
any([s > 5, i > 0]) | True
s < 3 < 4 | True
3 < s < 4 | False
not s | False
"""

WRONG = """\
next(iter([])) | StopIteration | next() of an iterator that has no more elements
next([1]) | TypeError | 'list' object is not an iterator
list(zip([1], [1, 2], strict=True)) | ValueError | zip() argument 2 is longer than argument 1
list(zip([1, 2], [1], strict=True)) | ValueError | zip() argument 2 is shorter than argument 1
list(zip([1], [2], [1, 2], strict=True)) | ValueError | zip() argument 3 is longer than argument 1
list(itertools.count()) | TypeError | this iterator has no end. Take elements with next, zip or itertools.islice
list(zip(itertools.count())) | TypeError | an endless iterator needs a partner of known length
list(itertools.islice(itertools.count(), None)) | TypeError | islice() of an endless iterator needs an end
sorted([x, -x]) | TypeError | sorted() orders while compiling and needs keys that are known then, got Tensor Float32[2]
sorted([1], by=2) | TypeError | sorted() got an unexpected keyword argument 'by'
max([x, x], key=lambda v: v) | TypeError | max() orders while compiling
max([]) | ValueError | max()
max([], key=len) | ValueError | max()
filter(lambda v: v > 0, [s]) | TypeError | filter() in a graph needs conditions that are known while compiling
map(len) | TypeError | map() must have at least two arguments
reversed({1, 2}) | TypeError | 'set' object is not reversible
{}.popitem() | KeyError | dictionary is empty
[1].index(2) | ValueError | int 2 is not in list
[1].remove(2) | ValueError | list.remove(x): x not in list
[].pop() | IndexError | pop from empty list
[s].index(i) | TypeError | whether Tensor Float32[] equals Tensor Int32[] is known only at run time
{"a": x}["b"] | KeyError | 'b'
iter(3) | TypeError | not iterable
len(3) | TypeError | has no len()
len(s) | TypeError | len() of a 0-d tensor
int("a") | ValueError | invalid literal for int()
1 / 0 | ZeroDivisionError | division by zero
[1, 2][5] | IndexError | out of range
x.nope | AttributeError | has no attribute 'nope'
undefined_name | NameError | name 'undefined_name' is not defined
"a" + 1 | TypeError | can only concatenate str
[x][s] | TypeError | the index into a list must be an integer
(lambda a: a)() | TypeError | missing 1 required argument: 'a'
x + "a" | TypeError | got str 'a'
"""

_NAMES = "import collections, functools, itertools, math, operator\nimport numpy as np\n" + (
    "import mindspore as ms\nfrom mindspore import Tensor, ops\n"
)


def lines(table: str) -> list[tuple[str, ...]]:
    return [tuple(part.strip() for part in line.split(" | ")) for line in table.strip().split("\n")]


def function(expression: str) -> Any:
    """A function of x, s and i that returns what `expression` gives."""
    text = f"{_NAMES}def f(x, s, i):\n    return {expression}\n"
    return defined(text, "f")


ARGUMENTS = (t(1.0, 2.0), t(2.5), t(3, dtype=ms.int32))


@pytest.mark.parametrize("expression", SAME.strip().split("\n"))
def test_expressions_give_what_python_gives(expression: str) -> None:
    check(function(expression), *ARGUMENTS)


@pytest.mark.parametrize(("expression", "wanted"), lines(TENSORS))
def test_numbers_of_run_time_become_tensors(expression: str, wanted: str) -> None:
    """Where Python takes the number out of a tensor, a graph goes on with a 0-d tensor."""
    value = plain(function(wanted)(*ARGUMENTS))
    for backend in ("cpu", "reference"):
        got = ms.jit(function(expression), backend=backend)(*ARGUMENTS)
        if isinstance(got, bool):
            assert got is value
            continue
        assert isinstance(got, ms.Tensor)
        kinds = {bool: (np.bool_,), int: (np.int32, np.int64), float: (np.float32,)}
        assert got.asnumpy().dtype.type in kinds[type(value)]
        np.testing.assert_allclose(got.asnumpy(), value, rtol=1e-5)


@pytest.mark.parametrize(("expression", "error", "message"), lines(WRONG))
def test_wrong_expressions_say_why(expression: str, error: str, message: str) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 -- the class is compared below
        ms.jit(function(expression))(*ARGUMENTS)
    kinds = [c.__name__ for c in type(caught.value).__mro__]
    assert error in kinds
    first, source, mark, *_, last = str(caught.value).split("\n")
    assert first.startswith('File "<f ')
    assert ", line 6, column " in first
    assert source.strip() == f"return {expression}"
    assert mark.strip() == "^"
    assert message in last
