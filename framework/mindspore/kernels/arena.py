"""Offsets in one block of memory for buffers that live at different times."""

from __future__ import annotations

from bisect import bisect_left, insort

from mindspore.base.symbolic import Size

ALIGNMENT = 64


def rounded_up(nbytes: int) -> int:
    """`nbytes` rounded up to the alignment; of a symbolic size each coefficient, so that it stays a polynomial."""
    if isinstance(nbytes, Size):
        terms = {monomial: -(-count // ALIGNMENT) * ALIGNMENT for monomial, count in nbytes.terms.items()}
        return Size(nbytes.scope, terms)
    return max(1, -(-nbytes // ALIGNMENT)) * ALIGNMENT


class Arena:
    """Best fit: a buffer goes to the smallest hole that takes it, else to the end. ``size`` is the most that was ever in use."""

    def __init__(self) -> None:
        self.size = 0
        self._end = 0
        self._taken: dict[int, int] = {}
        self._holes: list[tuple[int, int]] = []
        self._starts: dict[int, int] = {}
        self._stops: dict[int, int] = {}

    def take(self, nbytes: int) -> int:
        """The offset of `nbytes` fresh bytes."""
        wanted = rounded_up(nbytes)
        position = bisect_left(self._holes, (wanted, -1))
        if position < len(self._holes):
            length, offset = self._holes[position]
            self._remove(offset, length)
            if length > wanted:
                self._add(offset + wanted, length - wanted)
        else:
            offset = self._end
            self._end += wanted
            self.size = max(self.size, self._end)
        self._taken[offset] = wanted
        return offset

    def give(self, offset: int) -> None:
        """The buffer at `offset` is not needed any more."""
        length = self._taken.pop(offset)
        if offset in self._stops:
            before = self._stops[offset]
            self._remove(offset - before, before)
            offset, length = offset - before, length + before
        if offset + length in self._starts:
            after = self._starts[offset + length]
            self._remove(offset + length, after)
            length += after
        if offset + length == self._end:
            self._end = offset
        else:
            self._add(offset, length)

    def _add(self, offset: int, length: int) -> None:
        insort(self._holes, (length, offset))
        self._starts[offset] = self._stops[offset + length] = length

    def _remove(self, offset: int, length: int) -> None:
        del self._holes[bisect_left(self._holes, (length, offset))]
        del self._starts[offset], self._stops[offset + length]
