"""``einsum``: sums of products by named dimensions, as diagonals, sums, transposes and matrix products; in both modes."""

from __future__ import annotations

import string
from typing import Any, NamedTuple

from mindspore.common import functions as f
from mindspore.common.eager import function
from mindspore.common.matrices import diagonal

__all__ = ["einsum"]

_batch_matmul = function("BatchMatMul")
_reduce_sum = function("reduce_sum")
_reshape = function("reshape")
_transpose = function("transpose")

Labels = tuple[str, ...]


class Product(NamedTuple):
    """How two operands become one: the order and shape of each for a product of matrices, and the shape after it."""

    left: tuple[tuple[int, ...], tuple[int, ...]]
    right: tuple[tuple[int, ...], tuple[int, ...]]
    shape: tuple[int, ...]


class Plan(NamedTuple):
    """What `einsum` does with operands of certain shapes.

    Attributes:
        diagonals: for each operand the pairs of dimensions of which the diagonal is taken, one after the other.
        sums: for each operand the dimensions that are summed then.
        products: one for each operand but the first.
        order: the dimensions of the last product as the result has them.
    """

    diagonals: tuple[tuple[tuple[int, int], ...], ...]
    sums: tuple[tuple[int, ...], ...]
    products: tuple[Product, ...]
    order: tuple[int, ...]


def _error(equation: str, problem: str) -> ValueError:
    return ValueError(f"For 'einsum', {problem}, but got the equation {equation!r}.")


def _terms(equation: str, shapes: tuple[tuple[int, ...], ...]) -> tuple[list[Labels], Labels]:
    """The labels of each operand's dimensions and of the result's; those of an ellipsis are numbers from the last one on."""
    text = equation.replace(" ", "")
    inputs, arrow, output = text.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(shapes):
        raise _error(equation, f"the equation must name {len(shapes)} operand(s)")
    named: list[Labels] = []
    for term, shape in zip(terms, shapes, strict=True):
        letters = term.replace("...", "")
        extra = len(shape) - len(letters)
        if any(c not in string.ascii_letters for c in letters) or term.count("...") > 1:
            raise _error(equation, "labels must be letters, with at most one ellipsis for each operand")
        if extra < 0 or (extra and "..." not in term):
            raise _error(equation, f"the labels {term!r} must name the dimensions of shape {shape}")
        before, _, after = term.partition("...")
        named.append((*before, *(str(i) for i in reversed(range(extra))), *after))
    rest = sorted({label for term in named for label in term if label.isdigit()}, key=int, reverse=True)
    if not arrow:
        once = sorted(c for c in {*inputs} & {*string.ascii_letters} if inputs.count(c) == 1)
        return named, (*rest, *once)
    before, dots, after = output.partition("...")
    result = (*before, *(rest if dots else ()), *after)
    known = {label for term in named for label in term}
    if len({*result}) < len(result) or not known.issuperset(result):
        raise _error(equation, "the result's labels must differ and be among those of the operands")
    return named, result


def _plan(equation: str, shapes: tuple[tuple[int, ...], ...]) -> Plan:
    named, result = _terms(equation, shapes)
    sizes: dict[str, int] = {}
    for labels, shape in zip(named, shapes, strict=True):
        for label, size in zip(labels, shape, strict=True):
            if sizes.setdefault(label, size) != size:
                if size != 1 and sizes[label] != 1:
                    raise _error(
                        equation, f"the dimension {label!r} must have one size, not both {sizes[label]} and {size}"
                    )
                sizes[label] = max(size, sizes[label]) if 0 not in (size, sizes[label]) else 0
    diagonals, sums, own = [], [], []
    for i, labels in enumerate(named):
        others = {*result}.union(*(other for j, other in enumerate(named) if j != i))
        pairs, left = _diagonals(labels)
        lengths = dict(zip(labels, shapes[i], strict=True))
        # A size of 1 beside another size says nothing about the dimension: the others have it.
        gone = tuple(p for p, c in enumerate(left) if c not in others or (lengths[c] == 1 and sizes[c] != 1))
        diagonals.append(pairs)
        sums.append(gone)
        own.append(tuple(c for p, c in enumerate(left) if p not in gone))
    products = []
    current = own[0]
    for i, labels in enumerate(own[1:], 1):
        later = {*result}.union(*own[i + 1 :])
        product, current = _product(current, labels, later, sizes)
        products.append(product)
    return Plan(
        tuple(diagonals), tuple(sums), tuple(products), tuple(current.index(c) for c in result)
    )  # fmt: skip


_plan.__constexpr__ = True  # type: ignore[attr-defined]


def _diagonals(labels: Labels) -> tuple[tuple[tuple[int, int], ...], Labels]:
    """Pairs of dimensions with one label, and the labels after their diagonals, which become the last dimension, are taken."""
    pairs: list[tuple[int, int]] = []
    left = list(labels)
    while (repeated := next((c for c in left if left.count(c) > 1), None)) is not None:
        first = left.index(repeated)
        second = left.index(repeated, first + 1)
        pairs.append((first, second))
        left = [c for p, c in enumerate(left) if p not in (first, second)] + [repeated]
    return tuple(pairs), tuple(left)


def _product(one: Labels, other: Labels, later: set[str], sizes: dict[str, int]) -> tuple[Product, Labels]:
    """One product of matrices, and the labels of its result; what only these two operands have is summed."""
    shared = [c for c in one if c in other]
    batch, summed = [c for c in shared if c in later], [c for c in shared if c not in later]
    rows, columns = [c for c in one if c not in other], [c for c in other if c not in one]

    def count(labels: list[str]) -> int:
        return f.product([sizes[c] for c in labels])

    left = tuple(one.index(c) for c in (*batch, *rows, *summed)), (count(batch), count(rows), count(summed))
    right = tuple(other.index(c) for c in (*batch, *summed, *columns)), (count(batch), count(summed), count(columns))
    labels = (*batch, *rows, *columns)
    return Product(left, right, tuple(sizes[c] for c in labels)), labels


def einsum(equation: str, *operands: Any) -> Any:
    """Sums of products of the operands' elements, by named dimensions.

    Args:
        equation: the labels of each operand's dimensions, one letter each, separated by commas; behind ``->`` those of the result. A label
            that the result does not have is summed; one that an operand has twice takes its diagonal; ``...`` stands for dimensions without
            names, which broadcast. Without ``->`` the result has the labels that occur once, in the order of the alphabet.
        operands: tensors of one element type, or one tuple or list of them.

    Raises:
        ValueError: the equation does not fit the operands.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.einsum("ij,jk->ik", Tensor([[1.0, 2.0]]), Tensor([[3.0], [4.0]])))
        [[11.]]
        >>> print(ops.einsum("ii->i", Tensor([[1.0, 2.0], [3.0, 4.0]])))
        [1. 4.]
    """
    given = operands[0] if len(operands) == 1 and isinstance(operands[0], list | tuple) else operands
    plan = _plan(equation, tuple([each.shape for each in given]))
    ready = []
    for each, pairs, gone in zip(given, plan.diagonals, plan.sums, strict=True):
        for first, second in pairs:
            each = diagonal(each, 0, first, second)
        ready.append(_reduce_sum(each, gone, False) if gone else each)
    result = ready[0]
    for other, step in zip(ready[1:], plan.products, strict=True):
        left = _reshape(_transpose(result, step.left[0]), step.left[1])
        right = _reshape(_transpose(other, step.right[0]), step.right[1])
        result = _reshape(_batch_matmul(left, right), step.shape)
    return _transpose(result, plan.order) if result.ndim > 1 else result
