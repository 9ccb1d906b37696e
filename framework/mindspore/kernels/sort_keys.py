"""Elements as unsigned integers in the same order, each together with its position: what sorting works on.

An item is 64 bits, the key above the position, or for keys of 64 bits a pair of words. Equal elements have equal keys: both zeros,
and all NaN, whose key is the largest. For the descending order all bits of the key are
turned, so that equal elements still keep their order.
"""

from __future__ import annotations

from dataclasses import dataclass

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.kernels.emit import Function, Value

_INFINITY = {dt.float16: 0x7C00, dt.bfloat16: 0x7F80, dt.float32: 0x7F800000, dt.float64: 0x7FF0000000000000}


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of elements of one type in one order."""

    dtype: DType
    descending: bool

    @property
    def bits(self) -> int:
        return self.dtype.itemsize * 8

    @property
    def digits(self) -> int:
        """Bytes of a key."""
        return self.dtype.itemsize

    @property
    def words(self) -> int:
        """Of an item."""
        return 2 if self.digits == 8 else 1

    def key(self, f: Function, source: Value, index: Value) -> Value:
        """The key of an element, as an i64."""
        kind = f"i{self.bits}"
        bits = f.load(kind, source.at(kind, index))
        key = self._signed(f, bits) if self.dtype.kind != "b" and self.dtype.kind != "u" else bits
        return (
            (~key if self.descending else key).to("zext", "i64") if kind != "i64" else ~key if self.descending else key
        )

    def _signed(self, f: Function, bits: Value) -> Value:
        sign = -(1 << (self.bits - 1))
        if not self.dtype.is_floating:
            return bits ^ sign
        size = bits & ~sign
        bits = f.select(size.eq(0), size, bits)
        key = bits ^ (f.op("ashr", bits, self.bits - 1) | sign)
        return f.select(size > _INFINITY[self.dtype], f.value(-1, bits.type), key)

    def item(self, f: Function, source: Value, index: Value) -> tuple[Value, ...]:
        key = self.key(f, source, index)
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

    def position(self, item: tuple[Value, ...]) -> Value:
        return item[-1].to("trunc", "i32")

    def before(self, f: Function, a: tuple[Value, ...], b: tuple[Value, ...]) -> Value:
        """Whether item `a` comes before item `b`."""
        less = f.compare("lt", a[0], b[0], unsigned=True)
        return less if self.words == 1 else less | (f.compare("eq", a[0], b[0]) & (a[1] < b[1]))
