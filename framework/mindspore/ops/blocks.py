"""Blocks that slide over images, as columns and back. Graph mode compiles this source."""

from __future__ import annotations

from typing import Any

from mindspore.common.checks import positive_int
from mindspore.common.eager import function
from mindspore.common.methods import Tensor
from mindspore.ops.padding import pad

_full = function("full")
_reshape = function("reshape")
_stack = function("stack")
Pair = tuple[int, int]


def _pair(owner: str, name: str, given: Any, least: int = 1) -> Pair:
    """One int for both dimensions, or one for each."""
    if not isinstance(given, int | tuple | list):
        raise TypeError(
            f"For '{owner}', the type of '{name}' should be one of 'int', 'tuple', 'list', but got type '{type(given).__name__}'."
        )
    both = (given, given) if isinstance(given, int) else tuple(given)
    if len(both) != 2:
        raise ValueError(f"For '{owner}', the '{name}' must be one number or two, but got {given}.")
    for each in both:
        if least:
            positive_int(owner, name, each)
        elif each < 0:
            raise ValueError(f"For '{owner}', the '{name}' must not be negative, but got {given}.")
    return both[0], both[1]


def _settings(owner: str, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> tuple[Pair, Pair, Pair, Pair]:
    names = ("kernel_size", "dilation", "stride")
    kernel, spread, step = [
        _pair(owner, name, given) for name, given in zip(names, (kernel_size, dilation, stride), strict=True)
    ]
    return kernel, spread, _pair(owner, "padding", padding, 0), step


def _blocks(owner: str, size: Pair, kernel: Pair, spread: Pair, border: Pair, step: Pair) -> Pair:
    """How many blocks there are in each dimension."""
    high, wide = [(size[i] + 2 * border[i] - spread[i] * (kernel[i] - 1) - 1) // step[i] + 1 for i in (0, 1)]
    if high < 1 or wide < 1:
        raise ValueError(
            f"For '{owner}', an image of {size} with padding {border} must hold a block of 'kernel_size' {kernel} with dilation {spread}."
        )
    return high, wide


def _places(kernel: Pair, spread: Pair, step: Pair, blocks: Pair) -> list[tuple[slice, slice]]:
    """For each element of a block, in order, where it lies for all blocks in the image with its border."""
    rows, columns = [
        [slice(k * spread[i], k * spread[i] + (blocks[i] - 1) * step[i] + 1, step[i]) for k in range(kernel[i])]
        for i in (0, 1)
    ]
    return [(row, column) for row in rows for column in columns]


def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Blocks of images as columns, which overlap where the stride is smaller than the block (im2col).

    Args:
        input: a tensor (N, C, H, W).
        kernel_size: height and width of a block, one int or two.
        dilation: distance between the elements of a block.
        padding: zeros around the image.
        stride: distance between blocks.

    Returns:
        A tensor (N, C * height * width, number of blocks), blocks in the order of rows.

    Raises:
        TypeError: a setting that is neither int nor a tuple or list.
        ValueError: another number of dimensions, a number out of range, or an image that holds no block.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.unfold(Tensor([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]]), 2))
        [[[1. 2.]
          [2. 3.]
          [4. 5.]
          [5. 6.]]]
    """
    kernel, spread, border, step = _settings("unfold", kernel_size, dilation, padding, stride)
    if len(input.shape) != 4:
        raise ValueError(f"For 'unfold', the 'input' must have 4 dimensions (N, C, H, W), but got shape {input.shape}.")
    many, channels, height, width = input.shape
    blocks = _blocks("unfold", (height, width), kernel, spread, border, step)
    whole = pad(input, (border[1], border[1], border[0], border[0])) if border != (0, 0) else input
    parts = [whole[:, :, row, column] for row, column in _places(kernel, spread, step, blocks)]
    return _reshape(_stack(parts, 2), (many, channels * kernel[0] * kernel[1], blocks[0] * blocks[1]))


def fold(input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Columns put back as blocks of images; what falls on one place is added (col2im).

    Args:
        input: a tensor (N, C * height * width, number of blocks), as `unfold` gives it.
        output_size: height and width of the image: two ints, or a constant Tensor of two.
        kernel_size, dilation, padding, stride: see `unfold`.

    Returns:
        A tensor (N, C, H, W).

    Raises:
        TypeError: a setting that is neither int nor a tuple or list.
        ValueError: a number out of range, or an input that has not the elements of the blocks.

    Examples:
        >>> from mindspore import ops
        >>> print(ops.fold(ops.ones((1, 4, 2)), (2, 3), 2))
        [[[[1. 2. 1.]
           [1. 2. 1.]]]]
    """
    kernel, spread, border, step = _settings("fold", kernel_size, dilation, padding, stride)
    given = output_size.tolist() if isinstance(output_size, Tensor) else output_size
    height, width = _pair("fold", "output_size", given)
    blocks = _blocks("fold", (height, width), kernel, spread, border, step)
    area = kernel[0] * kernel[1]
    if len(input.shape) != 3 or input.shape[1] % area or input.shape[2] != blocks[0] * blocks[1]:
        raise ValueError(
            f"For 'fold', the 'input' must be of shape (N, C * {area}, {blocks[0] * blocks[1]}) here, but got {input.shape}."
        )
    many, channels = input.shape[0], input.shape[1] // area
    columns = _reshape(input, (many, channels, area, *blocks))
    image = _full((many, channels, height + 2 * border[0], width + 2 * border[1]), 0, input.dtype)
    places = _places(kernel, spread, step, blocks)
    for i in range(area):
        row, column = places[i]
        image[:, :, row, column] = image[:, :, row, column] + columns[:, :, i]
    return image[:, :, border[0] : border[0] + height, border[1] : border[1] + width]


for _known in (_pair, _settings, _blocks, _places):
    _known.__constexpr__ = True  # type: ignore[union-attr]
FUNCTIONS = {"fold": fold, "unfold": unfold}
