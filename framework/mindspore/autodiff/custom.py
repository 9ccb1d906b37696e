"""Functions with a gradient of their own, and values that are computed a second time.

``y = CustomGradient(f, g, x)`` has ``x̄ = g(x, y, ȳ)``: it stays as it is in the forward part, and the gradient of the gradient is that
of ``g``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mindspore.autodiff.activity import elements
from mindspore.autodiff.cotangents import zeros
from mindspore.autodiff.residuals import Pullback
from mindspore.ir.graph import Apply, Constant, Node
from mindspore.ir.rewrite import inline

Differentiated = tuple[Apply, Sequence[Node | None]]


def custom_gradients(node: Apply, adjoint: Mapping[int, Node], active: set[int], pullback: Pullback) -> Differentiated:
    """The cotangents of the inputs of a CustomGradient; `adjoint` gives those of its results by position."""
    backward = node.inputs[1]
    assert isinstance(backward, Constant)
    arguments, results = node.inputs[2:], elements(node)
    given = [adjoint[i] if i in adjoint else zeros(result) for i, result in enumerate(results)]
    found: list[Node | None] = [None] * len(node.inputs)
    made = elements(inline(backward.value, [*arguments, *results, *given]))
    for position, gradient in zip(node.attrs["wrt"], made, strict=True):
        found[2 + position] = gradient
    return node, found


def after_gradients(node: Apply, adjoint: Mapping[int, Node], active: set[int], pullback: Pullback) -> Differentiated:
    """``After(x, y)`` is ``x``."""
    return node, [adjoint[0], None]
