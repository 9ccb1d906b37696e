"""Objects stand alone: every kernel of the table emits for every level, and needs nothing but its arguments."""

from __future__ import annotations

import pytest

from mindspore.kernels import aot, elf
from mindspore.kernels.catalog import symbol
from mindspore.kernels.target import LEVELS, compile_object, isa

NEEDED: set[str] = set()
"""Symbols that an object may take from elsewhere: none, the Runtime table comes as an argument."""
SAMPLE = (
    "elementwise_exp",
    "elementwise_cast",
    "elementwise_pow",
    "elementwise_mod",
    "reduction_sum",
    "argreduce_max",
    "move_copy",
)


def check(data: bytes, names: set[str]) -> None:
    symbols = list(elf.symbols(data))
    assert {s.name for s in symbols if not s.defined} <= NEEDED
    assert {s.name for s in symbols if s.exported and s.defined} == names


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("group", SAMPLE)
def test_objects_need_no_symbols(group: str, level: str) -> None:
    specs = aot.groups()[group][:12]
    data = compile_object(aot.text(specs, isa(level)), isa(level))
    check(data, {symbol(s.name, isa(level)) for s in specs})


@pytest.mark.parametrize("level", ["v2", "neon"])
@pytest.mark.parametrize("dtype", ["f32", "f16", "i32"])
def test_matrix_products_need_no_symbols(level: str, dtype: str) -> None:
    specs = [s for s in aot.groups()["gemm_matmul"] if s.name.endswith(f"_{dtype}")]
    assert len(specs) == 1
    data = compile_object(aot.text(specs, isa(level)), isa(level))
    check(data, {symbol(s.name, isa(level)) for s in specs})


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
def test_the_whole_table_needs_no_symbols(level: str) -> None:
    for specs in aot.groups().values():
        check(compile_object(aot.text(specs, isa(level)), isa(level)), {symbol(s.name, isa(level)) for s in specs})


def test_neon_objects_are_for_aarch64() -> None:
    specs = aot.groups()["elementwise_add"][:1]
    data = compile_object(aot.text(specs, isa("neon")), isa("neon"))
    assert int.from_bytes(data[18:20], "little") == 183


def test_damaged_objects_are_refused() -> None:
    with pytest.raises(ValueError, match="expected a 64-bit little-endian ELF object file, got 3 bytes"):
        list(elf.symbols(b"abc"))
    specs = aot.groups()["move_copy"][:1]
    data = compile_object(aot.text(specs, isa("v2")), isa("v2"))
    with pytest.raises(ValueError, match="is cut short"):
        list(elf.symbols(data[: len(data) // 2]))
