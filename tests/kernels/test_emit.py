"""LLVM text emission: what is written runs and means what the builder's caller said."""

from __future__ import annotations

import ctypes

import pytest

from mindspore.kernels import jit
from mindspore.kernels.emit import Function, Module, Value, literal, vector
from mindspore.kernels.gemm_pack import transposed
from mindspore.kernels.target import LEVELS, compile_assembly, compile_object, isa, levels_up_to

HOST = LEVELS[jit.host_level()]


def run(module: Module, name: str, *arguments: int) -> int:
    """Call an ``i64 name(i64...)`` of `module`."""
    linked = jit.link([compile_object(module.text(), module.isa)])
    function = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * len(arguments))(linked.address(name))
    return int(function(*arguments))


def make(name: str = "f", arguments: int = 1) -> tuple[Module, Function]:
    module = Module(HOST)
    return module, module.function(name, "i64", [("i64", f"a{i}") for i in range(arguments)])


def test_loop_carries_values_and_gives_results() -> None:
    module, f = make()
    with f.loop(0, f["a0"], carried=[f.index(1), f.index(0)]) as loop:
        product, total = loop.carried
        loop.next(product * 3, total + loop.index)
    f.ret(loop.results[0] * 1000 + loop.results[1])
    assert run(module, "f", 4) == 81_006
    assert run(module, "f", 0) == 1000


def test_nested_loops_with_steps() -> None:
    module, f = make("g", 2)
    with f.loop(0, f["a0"], 2, carried=[f.index(0)]) as outer:
        with f.loop(1, f["a1"], carried=outer.carried) as inner:
            inner.next(inner.carried[0] + outer.index * inner.index)
        outer.next(*inner.results)
    f.ret(outer.results[0])
    assert run(module, "g", 6, 4) == sum(i * j for i in range(0, 6, 2) for j in range(1, 4))


def test_choose_gives_the_values_of_the_side_that_ran() -> None:
    module, f = make()
    a = f["a0"]
    first, second = f.choose(a > 10, lambda: [a * 2, a], lambda: [a - 1, f.index(7)])
    f.ret(first * 100 + second)
    assert run(module, "f", 11) == 2211
    assert run(module, "f", 3) == 207


def test_index_arithmetic_folds_constants() -> None:
    _, f = make()
    a = f["a0"]
    assert (f.index(6) * 7 - 2).name == "40"
    assert (a + 0) is a
    assert (a * 1) is a
    assert (a - 0) is a
    assert (f.index(0) + a) is a


def test_numbers_become_constants_of_the_other_type() -> None:
    _, f = make()
    assert literal(0.1, "float") == "0x3FB99999A0000000"
    assert literal(1e300, "float") == "0x7FF0000000000000"
    assert literal(-1e300, "float") == "0xFFF0000000000000"
    assert literal(True, "i1") == "true"
    assert literal(3, vector(4, "i32")) == "splat (i32 3)"
    assert f.value(2, "double").name == "0x4000000000000000"


def test_operands_of_different_types_are_refused() -> None:
    _, f = make()
    with pytest.raises(TypeError, match="needs operands of one type, got i64 and float"):
        f.op("add", f["a0"], f.value(1.0, "float"))


def test_blocks_of_vectors_are_transposed() -> None:
    module = Module(HOST)
    f = module.function("t", "void", [("ptr", "from"), ("ptr", "to")])
    rows = [f.load("<4 x i32>", f["from"].at("i32", 4 * i)) for i in range(4)]
    for i, column in enumerate(transposed(f, rows)):
        f.store(column, f["to"].at("i32", 4 * i))
    f.ret()
    linked = jit.link([compile_object(module.text(), HOST)])
    source, target = (ctypes.c_int32 * 16)(*range(16)), (ctypes.c_int32 * 16)()
    ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(linked.address("t"))(source, target)
    assert list(target) == [c * 4 + r for r in range(4) for c in range(4)]


@pytest.mark.parametrize(("level", "registers"), [("v2", "xmm"), ("v3", "ymm"), ("v4", "zmm")])
def test_scalar_loops_are_vectorised_to_the_level_s_width(level: str, registers: str) -> None:
    module = Module(isa(level))
    f = module.function("axpy", "void", [("ptr noalias", "x"), ("ptr noalias", "y"), ("i64", "n")])
    x, y, n = f.arguments
    with f.loop(0, n) as i:
        f.store(
            f.load("float", x.at("float", i.index)) * 2.0 + f.load("float", y.at("float", i.index)),
            y.at("float", i.index),
        )
    f.ret()
    assert registers in compile_assembly(module.text(), module.isa)


def test_compilation_is_deterministic() -> None:
    def text() -> str:
        module, f = make()
        f.ret(f["a0"] + 1)
        return module.text()

    assert text() == text()
    assert compile_object(text(), HOST) == compile_object(text(), HOST)


def test_levels() -> None:
    assert [level.name for level in levels_up_to(isa("v3"))] == ["v2", "v3"]
    assert isa("v4").lanes(4) == 16
    with pytest.raises(ValueError, match="unknown instruction-set level 'v9': expected one of v2, v3, v4, neon"):
        isa("v9")


def test_a_value_knows_its_type() -> None:
    _, f = make()
    value = f["a0"].to("trunc", "i32")
    assert isinstance(value, Value)
    assert str(value).startswith("i32 %")
    assert value.to("trunc", "i32") is value
