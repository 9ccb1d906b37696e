"""Elements as unsigned integers in the same order, each together with its position: what sorting works on.

An item is 64 bits, the key above the position, or for keys that need 64 bits a pair of words. Equal elements have equal keys: both
zeros, and all NaN, whose key is the largest. For the descending order all bits of the key are turned, so that equal elements still keep
their order. What items hold is the difference of a key from a base, the least key of a row: few bits where elements are near each other.
"""

from __future__ import annotations

from dataclasses import dataclass

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.kernels.emit import Function, Value

_INFINITY = {dt.float16: 0x7C00, dt.bfloat16: 0x7F80, dt.float32: 0x7F800000, dt.float64: 0x7FF0000000000000}


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of elements of one type in one order; `near`: items hold differences below 2**32."""

    dtype: DType
    descending: bool
    near: bool = False

    @property
    def bits(self) -> int:
        return self.dtype.itemsize * 8

    @property
    def digits(self) -> int:
        """Bytes of what items hold of a key."""
        return min(4, self.dtype.itemsize) if self.near else self.dtype.itemsize

    @property
    def words(self) -> int:
        """Of an item."""
        return 2 if self.digits == 8 else 1

    def key(self, f: Function, source: Value, index: Value) -> Value:
        """The key of an element, as wide as it."""
        kind = f"i{self.bits}"
        bits = f.load(kind, source.at(kind, index))
        key = self._signed(f, bits) if self.dtype.kind != "b" and self.dtype.kind != "u" else bits
        return ~key if self.descending else key

    def _signed(self, f: Function, bits: Value) -> Value:
        sign = -(1 << (self.bits - 1))
        if not self.dtype.is_floating:
            return bits ^ sign
        size = bits & ~sign
        bits = f.select(size.eq(0), size, bits)
        key = bits ^ (f.op("ashr", bits, self.bits - 1) | sign)
        return f.select(size > _INFINITY[self.dtype], f.value(-1, bits.type), key)

    def item(self, f: Function, source: Value, index: Value, base: Value) -> tuple[Value, ...]:
        key = f.op("sub", self.key(f, source, index), base).to("zext", "i64")
        return (key, index) if self.words == 2 else (f.op("shl", key, 32) | index,)

    def load(self, f: Function, items: Value, index: Value) -> tuple[Value, ...]:
        first = items.at("i64", index * self.words)
        return tuple(f.load("i64", first.at("i64", word)) for word in range(self.words))

    def store(self, f: Function, item: tuple[Value, ...], items: Value, index: Value) -> None:
        first = items.at("i64", index * self.words)
        for word, value in enumerate(item):
            f.store(value, first.at("i64", word))

    def above(self, f: Function, item: tuple[Value, ...], shift: Value) -> Value:
        """The bits of the key from `shift` on."""
        return f.op("lshr", item[0], shift if self.words == 2 else shift + 32)

    def whole(self, f: Function, item: tuple[Value, ...]) -> Value:
        """What an item holds of its key, as wide as an element."""
        return self.above(f, item, f.index(0)).to("trunc", f"i{self.bits}")

    def position(self, item: tuple[Value, ...]) -> Value:
        return item[-1].to("trunc", "i32")

    def before(self, f: Function, a: tuple[Value, ...], b: tuple[Value, ...]) -> Value:
        """Whether item `a` comes before item `b`."""
        less = f.compare("lt", a[0], b[0], unsigned=True)
        return less if self.words == 1 else less | (f.compare("eq", a[0], b[0]) & (a[1] < b[1]))
