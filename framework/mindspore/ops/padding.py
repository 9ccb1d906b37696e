"""Borders around tensors: of one value, mirrored, repeated or continued from the other side. Graph mode compiles this source."""

from __future__ import annotations

from typing import Any

from mindspore.common import choosing
from mindspore.common.eager import function
from mindspore.ops.function_objects import FunctionObject

__all__ = ["mirror_pad", "pad"]

_pad = function("pad")
_concat = function("concat")

_MIRRORS = {"reflect": 1, "symmetric": 0}


def bordered(owner: str, x: Any, axis: int, before: int, after: int, mode: str) -> Any:
    """`x` with more elements before and after along `axis`, made of those that it has.

    "reflect" mirrors at the outermost elements, "symmetric" behind them, "replicate" repeats them, "circular" continues from the
    other side. Negative sizes cut off.
    """
    size = x.shape[axis]
    first, kept = max(-before, 0), size - max(-before, 0) - max(-after, 0)
    before, after = max(before, 0), max(after, 0)
    if first or kept < size:
        x = choosing.narrow(x, axis, first, kept)
    most = kept - _MIRRORS[mode] if mode in _MIRRORS else kept
    if kept < 1 or (mode != "replicate" and max(before, after) > most):
        raise ValueError(
            f"For '{owner}', dimension {axis} of size {kept} takes at most {most} elements on each side with mode {mode!r}, but got "
            f"{(before, after)}."
        )
    parts = [x]
    if before:
        parts = [_taken(x, axis, before, mode, True), x]
    if after:
        parts = [*parts, _taken(x, axis, after, mode, False)]
    return _concat(tuple(parts), axis) if len(parts) > 1 else x


def _taken(x: Any, axis: int, count: int, mode: str, front: bool) -> Any:
    """The `count` elements that come in front of `x`, or behind it."""
    size = x.shape[axis]
    if mode == "circular":
        return choosing.narrow(x, axis, size - count if front else 0, count)
    if mode == "replicate":
        edge = choosing.narrow(x, axis, 0 if front else size - 1, 1)
        return _concat((edge,) * count, axis)
    skipped = _MIRRORS[mode]
    start = skipped if front else size - skipped - count
    return choosing.flip(choosing.narrow(x, axis, start, count), (axis,))


def constant_border(owner: str, x: Any, pairs: Any, value: Any) -> Any:
    """`x` with `value` before and after each dimension; negative sizes cut off."""
    for axis, (before, after) in enumerate(pairs):
        if before < 0 or after < 0:
            first, kept = max(-before, 0), x.shape[axis] - max(-before, 0) - max(-after, 0)
            if kept < 0:
                raise ValueError(
                    f"For '{owner}', {x.shape[axis] - kept} cannot be cut off dimension {axis} of shape {x.shape}."
                )
            x = choosing.narrow(x, axis, first, kept)
    widths = tuple([(max(before, 0), max(after, 0)) for before, after in pairs])
    return _pad(x, widths, value) if any(any(w) for w in widths) else x


def with_border(owner: str, x: Any, pairs: Any, mode: str, value: Any) -> Any:
    """`pairs`: sizes before and after each dimension."""
    if mode == "constant":
        return constant_border(owner, x, pairs, 0 if value is None else value)
    if value is not None:
        raise ValueError(f"For '{owner}', the padding mode {mode!r} can not set value, but got value {value}.")
    for axis in range(x.ndim):
        if pairs[axis][0] or pairs[axis][1]:
            x = bordered(owner, x, axis, pairs[axis][0], pairs[axis][1], mode)
    return x


def _pairs(owner: str, x: Any, padding: Any) -> Any:
    """Sizes for the last dimension first as pairs for all dimensions."""
    if len(padding) % 2 or len(padding) > 2 * x.ndim:
        raise ValueError(
            f"For '{owner}', the size of padding must be divisible by 2 and at most {2 * x.ndim} for shape {x.shape}, but got {padding}."
        )
    if not all(isinstance(n, int) for n in padding):
        raise TypeError(f"For '{owner}', the sizes of padding must be ints, but got {padding}.")
    pairs = [(0, 0)] * x.ndim
    for i, before in enumerate(padding[::2]):
        pairs[x.ndim - 1 - i] = (before, padding[2 * i + 1])
    return tuple(pairs)


def _known(owner: str, mode: str, modes: Any) -> str:
    if mode not in modes:
        raise ValueError(f"For '{owner}', the 'mode' must be in {list(modes)}, but got {mode!r}.")
    return mode


def pad(input_x: Any, padding: Any, mode: str = "constant", value: Any = None) -> Any:
    """A border around the tensor; `padding` holds sizes before and after, the last dimension first, negative ones cut off.

    `mode`: "constant" for `value`, "reflect" mirrors at the outermost elements, "replicate" repeats them, "circular" continues from the
    other side.
    """
    known = _known("pad", mode, ("constant", "reflect", "replicate", "circular"))
    return with_border("pad", input_x, _pairs("pad", input_x, padding), known, value)


def _listed(paddings: Any) -> Any:
    """The pairs of a tuple, or of a constant tensor."""
    return paddings if isinstance(paddings, tuple | list) else paddings.tolist()


def mirror_pad(input_x: Any, paddings: Any, mode: str) -> Any:
    """A mirrored border; `paddings` holds a pair for each dimension, `mode` is "REFLECT" or "SYMMETRIC"."""
    known = _known("mirror_pad", mode, ("REFLECT", "SYMMETRIC"))
    return with_border("mirror_pad", input_x, _listed(paddings), known.lower(), None)


class MirrorPad(FunctionObject):
    """``MirrorPad(mode)(input_x, paddings)``: `mirror_pad`."""

    __slots__ = ("mode",)

    def __init__(self, mode: str = "REFLECT") -> None:
        self.mode = _known("MirrorPad", mode, ("REFLECT", "SYMMETRIC"))

    def __call__(self, input_x: Any, paddings: Any) -> Any:
        return with_border("MirrorPad", input_x, _listed(paddings), self.mode.lower(), None)


class PadV3(FunctionObject):
    """``PadV3(mode, paddings_contiguous)(x, paddings, constant_value)``: `pad` with "edge" for "replicate".

    Without `paddings_contiguous` all sizes before come first, then all sizes after.
    """

    __slots__ = ("mode", "paddings_contiguous")

    def __init__(self, mode: str = "constant", paddings_contiguous: bool = True) -> None:
        self.mode = _known("PadV3", mode, ("constant", "reflect", "edge", "circular"))
        self.paddings_contiguous = paddings_contiguous

    def __call__(self, x: Any, paddings: Any, constant_value: Any = None) -> Any:
        sizes = paddings if isinstance(paddings, tuple | list) else paddings.tolist()
        half = len(sizes) // 2
        if not self.paddings_contiguous:
            sizes = [n for pair in zip(sizes[:half], sizes[half:], strict=True) for n in pair]
        mode = "replicate" if self.mode == "edge" else self.mode
        return with_border("PadV3", x, _pairs("PadV3", x, tuple(sizes)), mode, constant_value)


CLASSES = (MirrorPad, PadV3)
