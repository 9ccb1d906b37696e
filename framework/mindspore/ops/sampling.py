"""Random numbers of many distributions, in both modes. All are made of the numbers of `ops.random`: the same seed gives the same numbers.

Rejection methods draw several candidates for each number and take the first that is accepted: no loop depends on them.
"""

from __future__ import annotations

from typing import Any

from mindspore.base import dtypes as dt
from mindspore.common import functions as f
from mindspore.common.eager import function
from mindspore.ops.function_objects import composed
from mindspore.ops.random import numbers, rand, randn

__all__ = [
    "bernoulli", "gamma", "laplace", "multinomial", "normal", "poisson", "randint", "randint_like", "random_categorical", "random_gamma",
    "random_poisson", "randperm", "shuffle", "standard_laplace", "standard_normal", "uniform",
]  # fmt: skip

_abs = function("abs")
_add = function("add")
_cast = function("cast")
_cum_sum = function("cum_sum")
_div = function("div")
_exp = function("exp")
_floor = function("floor")
_full = function("full")
_gather = function("gather")
_gather_d = function("gather_d")
_greater = function("greater")
_iota = function("iota")
_less = function("less")
_less_equal = function("less_equal")
_lgamma = function("lgamma")
_log = function("log")
_logical_and = function("logical_and")
_logical_or = function("logical_or")
_maximum = function("maximum")
_minimum = function("minimum")
_mul = function("mul")
_neg = function("neg")
_pow = function("pow")
_reduce_sum = function("reduce_sum")
_reshape = function("reshape")
_select = function("select")
_sign = function("sign")
_sort_positions = function("sort_positions")
_sqrt = function("sqrt")
_square = function("square")
_sub = function("sub")

_TRIES = 8
"""Candidates for each number. One in ten is refused at most: one number in 1e8 is the last candidate."""
_FEW = 10.0
"""The mean up to which Poisson numbers are found from their distribution function."""


def _fine(shape: Any, seed: Any) -> Any:
    """Float64 numbers in [0, 1) with 53 random bits."""
    return numbers(shape, seed, True)


def _sizes(owner: str, shape: Any) -> Any:
    if not isinstance(shape, tuple | list) or not all(isinstance(n, int) and n >= 0 for n in shape):
        raise TypeError(f"For '{owner}', the shape must be a tuple of ints that are not negative, but got {shape!r}.")
    return tuple(shape)


def _together(shape: Any, *values: Any) -> Any:
    """`shape` broadcast with those of the tensors among `values`."""
    given = [v for v in values if not isinstance(v, int | float)]
    if all(len(v.shape) == 0 for v in given):
        return shape
    total = _full(shape, 0, dt.bool_)
    for value in given:
        total = _logical_or(total, _full(value.shape, 0, dt.bool_))
    return total.shape


def uniform(shape: Any, minval: Any, maxval: Any, seed: Any = None, dtype: Any = dt.float32) -> Any:
    """Numbers spread evenly from `minval` to below `maxval`, which broadcast.

    Args:
        shape: sizes; those of `minval` and `maxval` broadcast with it.
        minval, maxval: tensors or numbers.
        seed: a seed of its own; None for `mindspore.set_seed`.
        dtype: a floating type, or int32 or int64.

    Examples:
        >>> from mindspore import ops
        >>> ops.uniform((2, 3), 0.0, 2.0).shape
        (2, 3)
    """
    sizes = _together(_sizes("uniform", shape), minval, maxval)
    if dtype.is_floating:
        low, high = (v if isinstance(v, int | float) else f.cast(v, dtype) for v in (minval, maxval))
        return f.cast(_add(_mul(f.cast(rand(sizes, seed=seed), dtype), _sub(high, low)), low), dtype)
    return _whole(sizes, minval, maxval, seed, dtype)


def _whole(shape: Any, low: Any, high: Any, seed: Any, dtype: Any) -> Any:
    """Integers from `low` to below `high`."""
    first, last = (
        _full((), v, dt.float64) if isinstance(v, int | float) else f.cast(v, dt.float64) for v in (low, high)
    )
    drawn = _floor(_mul(_fine(shape, seed), _sub(last, first)))
    return f.cast(_add(drawn, first), dtype)


def randint(low: int, high: int, size: Any, seed: Any = None, *, dtype: Any = None) -> Any:
    """Integers from `low` to below `high`; int64 unless `dtype` says otherwise.

    Raises:
        ValueError: `low` that is not below `high`.

    Examples:
        >>> from mindspore import ops
        >>> ops.randint(1, 10, (2, 3)).shape
        (2, 3)
    """
    if low >= high:
        raise ValueError(f"For 'randint', the 'low' must be below the 'high', but got {low} and {high}.")
    return _whole(_sizes("randint", size), low, high, seed, dt.int64 if dtype is None else dtype)


def randint_like(input: Any, low: int, high: int, seed: Any = None, *, dtype: Any = None) -> Any:
    """`randint` in the shape, and unless `dtype` says otherwise the type, of a tensor."""
    return randint(low, high, input.shape, seed, dtype=input.dtype if dtype is None else dtype)


def normal(shape: Any, mean: Any, stddev: Any, seed: Any = None) -> Any:
    """Float32 numbers of the normal distribution with this mean and standard deviation, which broadcast.

    Examples:
        >>> from mindspore import ops
        >>> ops.normal((2, 3), 0.0, 1.0).shape
        (2, 3)
    """
    sizes = _together(_sizes("normal", shape), mean, stddev)
    return f.cast(_add(_mul(randn(sizes, seed=seed), stddev), mean), dt.float32)


def standard_normal(shape: Any, seed: Any = None) -> Any:
    """Float32 numbers of the standard normal distribution."""
    return randn(_sizes("standard_normal", shape), seed=seed)


def laplace(shape: Any, mean: Any, lambda_param: Any, seed: Any = None) -> Any:
    """Float32 numbers of Laplace's distribution around `mean` with the scale `lambda_param`, which broadcast."""
    sizes = _together(_sizes("laplace", shape), mean, lambda_param)
    return f.cast(_add(_mul(standard_laplace(sizes, seed), lambda_param), mean), dt.float32)


def standard_laplace(shape: Any, seed: Any = None) -> Any:
    """Float32 numbers of Laplace's distribution around 0 with scale 1."""
    # Numbers from -1 to 1 without the ends: the logarithm is finite.
    turned = _sub(_mul(_add(_fine(_sizes("standard_laplace", shape), seed), 2.0**-49), 2.0), 1.0)
    return f.cast(_neg(_mul(_sign(turned), _log(_sub(1.0, _abs(turned))))), dt.float32)


def bernoulli(input: Any, p: Any = 0.5, seed: Any = None) -> Any:
    """1 with probability `p`, a number or a tensor that broadcasts, else 0, in the shape and type of `input`.

    Raises:
        ValueError: a number that is no probability.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.bernoulli(Tensor([1.0, 2.0]), 1.0))
        [1. 1.]
    """
    if isinstance(p, int | float) and not 0 <= p <= 1:
        raise ValueError(f"For 'bernoulli', the 'p' must be in [0, 1], but got {p}.")
    return f.cast(_less(rand(input.shape, seed=seed), p), input.dtype)


def randperm(n: int, seed: int = 0, offset: int = 0, dtype: Any = dt.int64) -> Any:
    """The numbers from 0 to below `n` in random order; a `seed` of 0 follows `mindspore.set_seed`.

    Raises:
        ValueError: `n` below 0.

    Examples:
        >>> from mindspore import ops
        >>> print(ops.sort(ops.randperm(4))[0])
        [0 1 2 3]
    """
    if not isinstance(n, int):
        raise TypeError(f"For 'randperm', the 'n' must be int, but got {n!r}.")
    if n < 0:
        raise ValueError(f"For 'randperm', the 'n' must not be negative, but got {n}.")
    own = None if seed == 0 and offset == 0 else seed * 65536 + offset
    return f.cast(_sort_positions(_fine((n,), own)), dtype)


def shuffle(x: Any, seed: Any = None) -> Any:
    """The slices along the first dimension in random order."""
    if x.ndim == 0:
        return x
    return _gather(x, _sort_positions(_fine((x.shape[0],), seed)), 0)


def multinomial(input: Any, num_samples: int, replacement: bool = True, seed: Any = None) -> Any:
    """Int32 positions drawn with probabilities proportional to the numbers of each row.

    Args:
        input: (C,) or (N, C), not negative.
        num_samples: how many are drawn from each row.
        replacement: a position may be drawn again.
        seed: a seed of its own; None for `mindspore.set_seed`.

    Raises:
        ValueError: another number of dimensions, or more samples than positions without replacement.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.multinomial(Tensor([0.0, 1.0, 0.0]), 4))
        [1 1 1 1]
    """
    if input.ndim not in (1, 2):
        raise ValueError(f"For 'multinomial', the 'input' must have 1 or 2 dimensions, but got shape {input.shape}.")
    classes = input.shape[-1]
    if num_samples < 1 or (not replacement and num_samples > classes):
        raise ValueError(
            f"For 'multinomial', the 'num_samples' must be from 1 to {classes} positions, but got {num_samples}."
        )
    weights = f.cast(input, dt.float64)
    if not replacement:
        # The largest of log(weight) + Gumbel noise, as logarithms of exponential numbers.
        waits = _div(_neg(_log(_sub(1.0, _fine(input.shape, seed)))), _maximum(weights, 1e-300))
        order = _sort_positions(waits)
        return f.cast(order[:num_samples] if input.ndim == 1 else order[:, :num_samples], dt.int32)
    border = _cum_sum(weights, -1)
    total = border[-1:] if input.ndim == 1 else border[:, -1:]
    drawn = _mul(_fine((*input.shape[:-1], num_samples), seed), total)
    passed = _less_equal(f.expand_dims(border, -2), f.expand_dims(drawn, -1))
    return f.cast(_minimum(_reduce_sum(f.cast(passed, dt.int64), -1), classes - 1), dt.int32)


def random_categorical(logits: Any, num_sample: int, seed: int = 0, dtype: Any = dt.int64) -> Any:
    """Positions drawn from the softmax of each row of `logits` (N, C)."""
    return f.cast(multinomial(f.softmax(logits), num_sample, True, seed if seed else None), dtype)


def _first_accepted(candidates: Any, accepted: Any) -> Any:
    """Along dimension 0: the first candidate that is accepted, else the last one."""
    result = candidates[_TRIES - 1]
    for each in range(_TRIES - 2, -1, -1):
        result = _select(accepted[each], candidates[each], result)
    return result


def _standard_gamma(shape: Any, alpha: Any, seed: Any) -> Any:
    """Marsaglia and Tsang 2000, "A simple method for generating gamma variables"; below 1 by a power of an even number."""
    small = _less(alpha, 1.0)
    d = _sub(_select(small, _add(alpha, 1.0), alpha), 1.0 / 3.0)
    x = f.cast(randn((_TRIES, *shape), seed=seed), dt.float64)
    root = _add(_div(x, _sqrt(_mul(d, 9.0))), 1.0)
    v = _mul(root, _square(root))
    positive = _greater(v, 0.0)
    kept = _select(positive, v, 1.0)
    u = _sub(1.0, _fine((_TRIES, *shape), None if seed is None else seed + 1))
    bound = _add(_mul(_square(x), 0.5), _mul(d, _add(_sub(1.0, kept), _log(kept))))
    made = _mul(_first_accepted(kept, _logical_and(positive, _less(_log(u), bound))), d)
    last = _sub(1.0, _fine(shape, None if seed is None else seed + 2))
    return _select(small, _mul(made, _pow(last, _div(1.0, alpha))), made)


def gamma(shape: Any, alpha: Any, beta: Any, seed: Any = None) -> Any:
    """Float32 numbers of the gamma distribution with shape `alpha` and rate `beta`, which broadcast.

    Examples:
        >>> from mindspore import ops
        >>> ops.gamma((2, 3), 2.0, 1.0).shape
        (2, 3)
    """
    sizes = _together(_sizes("gamma", shape), alpha, beta)
    wide = _full((), alpha, dt.float64) if isinstance(alpha, int | float) else f.cast(alpha, dt.float64)
    return f.cast(_div(_standard_gamma(sizes, wide, seed), beta), dt.float32)


def random_gamma(shape: Any, alpha: Any, seed: Any = None) -> Any:
    """Numbers of the gamma distribution with shape `alpha` and rate 1, in the type of `alpha`: (*shape, *alpha.shape)."""
    sizes = (*_sizes("random_gamma", shape), *alpha.shape)
    return f.cast(_standard_gamma(sizes, f.cast(alpha, dt.float64), seed), alpha.dtype)


def random_poisson(shape: Any, rate: Any, seed: Any = None, dtype: Any = dt.float32) -> Any:
    """Numbers of Poisson's distribution with the mean `rate`: (*shape, *rate.shape); `shape` may be a tensor in PYNATIVE mode."""
    front = tuple(shape) if isinstance(shape, tuple | list) else tuple(shape.tolist())
    return f.cast(_poisson((*front, *rate.shape), f.cast(rate, dt.float64), seed), dtype)


def poisson(shape: Any, mean: Any, seed: Any = None) -> Any:
    """Float32 numbers of Poisson's distribution with this mean, which broadcasts.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> ops.poisson((2, 3), Tensor([1.0, 5.0, 100.0])).shape
        (2, 3)
    """
    sizes = _together(_sizes("poisson", shape), mean)
    wide = _full((), mean, dt.float64) if isinstance(mean, int | float) else f.cast(mean, dt.float64)
    return f.cast(_poisson(sizes, wide, seed), dt.float32)


def _poisson(shape: Any, rate: Any, seed: Any) -> Any:
    """Small means by the distribution function, large ones by Hoermann 1993, "The transformed rejection method" (PTRS)."""
    few = _minimum(rate, _FEW)
    counts = _iota((48,))
    numbers = f.cast(counts, dt.float64)
    chances = _exp(
        _sub(_sub(_mul(f.expand_dims(_log(few), -1), numbers), f.expand_dims(few, -1)), _lgamma(_add(numbers, 1.0)))
    )
    # A mean of 0 has the number 0 alone.
    chances = _select(f.expand_dims(_greater(few, 0.0), -1), chances, 1.0)
    passed = _less_equal(_cum_sum(chances, -1), f.expand_dims(_fine(shape, seed), -1))
    small = _reduce_sum(f.cast(passed, dt.float64), -1)
    return _select(_less(rate, _FEW), small, _many(shape, _maximum(rate, _FEW), None if seed is None else seed + 1))


def _many(shape: Any, rate: Any, seed: Any) -> Any:
    b = _add(_mul(_sqrt(rate), 2.53), 0.931)
    a = _add(_mul(b, 0.02483), -0.059)
    both = _fine((2, _TRIES, *shape), seed)
    u, v = _sub(both[0], 0.5), _sub(1.0, both[1])
    edge = _sub(0.5, _abs(u))
    held = _maximum(edge, 1e-12)
    k = _floor(_add(_add(_mul(_add(_div(_mul(a, 2.0), held), b), u), rate), 0.43))
    inverse = _add(_div(1.1328, _sub(b, 3.4)), 1.1239)
    left = _log(_div(_mul(v, inverse), _add(_div(a, _square(held)), b)))
    kept, inside = _maximum(k, 0.0), _logical_or(_greater(edge, 0.013), _less_equal(v, edge))
    right = _sub(_sub(_mul(kept, _log(rate)), rate), _lgamma(_add(kept, 1.0)))
    return _first_accepted(kept, _logical_and(_less_equal(left, right), _logical_and(_less_equal(0.0, k), inside)))


def random_choice_with_mask(input_x: Any, count: int = 256, seed: int = 0, seed2: int = 0) -> Any:
    """Positions of `count` elements of a Bool tensor that are true, chosen at random, and which rows of the result are such positions.

    Args:
        input_x: a Bool tensor of 1 to 5 dimensions.
        count: rows of the result; when fewer elements are true, the last rows are 0.
        seed, seed2: seeds of its own; 0 for `mindspore.set_seed`.
    """
    flat = _reshape(input_x, (-1,))
    keys = _select(flat, _fine(flat.shape, _own(seed, seed2)), 2.0)
    found = f.cast(_sort_positions(keys), dt.int64)
    missing = count - flat.shape[0]
    order = found[:count] if missing <= 0 else _concat((found, _full((missing,), 0, dt.int64)), 0)
    valid = _logical_and(_gather(flat, order, 0), _less(_iota((count,)), f.sum(f.cast(flat, dt.int64))))
    digits: list[Any] = []
    rest = _select(valid, order, 0)
    for size in input_x.shape[::-1]:
        digits = [_floor_mod(rest, size), *digits]
        rest = _floor_div(rest, size)
    return f.cast(_stack(tuple(digits), 1), dt.int32), valid


_concat = function("concat")
_floor_div = function("floor_div")
_floor_mod = function("floor_mod")
_stack = function("stack")


def _own(seed: int, seed2: int) -> Any:
    return None if seed == 0 and seed2 == 0 else seed * 65536 + seed2


def _uniform_int(shape: Any, minval: Any, maxval: Any, seed: int, seed2: int) -> Any:
    """Int32 numbers from `minval` to below `maxval`."""
    return uniform(shape, minval, maxval, _own(seed, seed2), dt.int32)


def _gamma_of(shape: Any, alpha: Any, beta: Any, seed: int, seed2: int) -> Any:
    """Numbers of the gamma distribution."""
    return gamma(shape, alpha, beta, _own(seed, seed2))


def _poisson_of(shape: Any, mean: Any, seed: int, seed2: int) -> Any:
    """Int32 numbers of Poisson's distribution."""
    return f.cast(poisson(shape, mean, _own(seed, seed2)), dt.int32)


def _laplace_of(shape: Any, seed: int, seed2: int) -> Any:
    """Numbers of Laplace's distribution around 0 with scale 1."""
    return standard_laplace(shape, _own(seed, seed2))


def _multinomial_of(x: Any, num_samples: int, seed: int, seed2: int, dtype: Any) -> Any:
    """Positions drawn with replacement, with probabilities proportional to the numbers of each row."""
    return f.cast(multinomial(x, num_samples, True, _own(seed, seed2)), dtype)


def _shuffled(x: Any, seed: int, seed2: int) -> Any:
    """The slices along the first dimension in random order."""
    return shuffle(x, _own(seed, seed2))


_SEEDS = (("seed", 0), ("seed2", 0))
CLASSES = (
    composed("Gamma", _gamma_of, _SEEDS), composed("Multinomial", _multinomial_of, (*_SEEDS, ("dtype", dt.int32))),
    composed("Poisson", _poisson_of, _SEEDS), composed("RandomChoiceWithMask", random_choice_with_mask, (("count", 256), *_SEEDS)),
    composed("RandomShuffle", _shuffled, _SEEDS), composed("StandardLaplace", _laplace_of, _SEEDS),
    composed("UniformInt", _uniform_int, _SEEDS),
)  # fmt: skip
