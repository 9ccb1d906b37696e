"""Kernels compiled on demand, and the private disk cache behind them."""

from __future__ import annotations

import os
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from mindspore.base import dtypes as dt
from mindspore.kernels import catalog, diskcache, elementwise, jit, runtime, target
from mindspore.kernels.catalog import KernelSpec, symbol
from mindspore.kernels.emit import Module
from mindspore.kernels.target import Part
from mindspore.primitives.scalar import trace
from tests.kernels.native import call_address

LEVEL = jit.host_level()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "mindspore" / "kernels"


def _emit_answer(module: Module, name: str, answer: int) -> None:
    f = runtime.kernel(module, symbol(name, module.isa))
    f.ret(f.value(answer, "i32"))


def answer(value: int) -> KernelSpec:
    return KernelSpec(
        f"msk_test_answer_{value}", "test", partial(_emit_answer, name=f"msk_test_answer_{value}", answer=value)
    )


def test_a_kernel_is_compiled_by_name(cache: Path) -> None:
    name = catalog.define(answer(41))
    assert call_address(jit.address(name, LEVEL)) == 41
    assert jit.address(name, LEVEL) == jit.address(name, LEVEL)
    assert len(list(cache.iterdir())) == 1


def test_unknown_names_are_refused() -> None:
    with pytest.raises(KeyError, match="no kernel is called 'msk_nothing'"):
        jit.address("msk_nothing", LEVEL)


def test_the_cache_saves_compiling(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = jit.compiled(answer(42), target.isa(LEVEL))
    monkeypatch.setattr(target, "compile_object", lambda *a: pytest.fail("compiled again"))
    assert jit.compiled(answer(42), target.isa(LEVEL)) == first


def test_levels_have_their_own_entries(cache: Path) -> None:
    body = elementwise.Body((trace(lambda s, x: s.mul(x, 5.0), (dt.float32,)),), (dt.float32,))
    objects = {jit.compiled(elementwise.spec(body), target.isa(level)) for level in ("v2", "v3", "neon")}
    assert len(objects) == len(list(cache.iterdir())) == 3


@pytest.mark.parametrize("damage", [b"", b"short", b"x" * 500])
def test_damaged_entries_are_dropped(cache: Path, damage: bytes) -> None:
    key = diskcache.key("damaged")
    diskcache.write(key, b"object")
    (cache / key).write_bytes(damage)
    assert diskcache.read(key) is None
    assert not (cache / key).exists()


def test_a_flipped_bit_is_noticed(cache: Path) -> None:
    key = diskcache.key("flipped")
    diskcache.write(key, b"object")
    data = bytearray((cache / key).read_bytes())
    data[-1] ^= 1
    (cache / key).write_bytes(data)
    assert diskcache.read(key) is None


def test_the_directory_is_private(cache: Path) -> None:
    diskcache.write(diskcache.key("a"), b"x")
    assert cache.stat().st_mode & 0o777 == 0o700
    assert diskcache.read(diskcache.key("a")) == b"x"
    assert diskcache.read(diskcache.key("b")) is None


def test_a_directory_that_others_can_write_is_not_used(cache: Path) -> None:
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    with pytest.warns(
        RuntimeWarning, match=r"is not used: expected a directory .* that others cannot write.*mode 777.*chmod 700"
    ):
        diskcache.write(diskcache.key("a"), b"x")
    assert list(cache.iterdir()) == []
    assert diskcache.read(diskcache.key("a")) is None


def test_a_symbolic_link_is_not_followed(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    cache.parent.mkdir(parents=True)
    cache.symlink_to(tmp_path / "elsewhere")
    with pytest.warns(RuntimeWarning, match="is not used"):
        assert diskcache.directory() is None


def test_an_unusable_home_is_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    diskcache.write(diskcache.key("a"), b"x")
    assert diskcache.read(diskcache.key("a")) is None


def test_the_cache_stays_below_its_limit(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diskcache, "LIMIT", 1000)
    keys = [diskcache.key(str(i)) for i in range(6)]
    for age, key in enumerate(keys):
        diskcache.write(key, bytes(200))
        os.utime(cache / key, (age, age))
    kept = {p.name for p in cache.iterdir()}
    assert keys[-1] in kept
    assert keys[0] not in kept
    assert sum(p.stat().st_size for p in cache.iterdir()) <= 1000


def test_a_small_entry_rarely_looks_through_the_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Path] = []
    monkeypatch.setattr(diskcache, "_trim", looks.append)
    for i in range(200):
        diskcache.write(diskcache.key(str(i)), bytes(1000))
    assert len(looks) < 5
    diskcache.write(diskcache.key("large"), bytes(diskcache.LIMIT // 64))
    assert looks[-1] == cache


def test_keys_depend_on_every_part() -> None:
    assert (
        len({diskcache.key("a", "b"), diskcache.key("ab"), diskcache.key("a", "", "b"), diskcache.key("b", "a")}) == 4
    )


def test_objects_without_the_symbol_say_so() -> None:
    module = Module(target.isa(LEVEL))
    answer(1).emit(module)
    linked = jit.link([target.compile_object(module.text(), module.isa)])
    with pytest.raises(KeyError, match="the object exports no 'other'"):
        linked.address("other")
    assert np.int64(linked.address(symbol(answer(1).name, module.isa))) != 0


def parts(count: int) -> list[Part]:
    text = "define i64 @f{k}(i64 %x) {{\n  %y = mul i64 %x, {k}\n  ret i64 %y\n}}\n"
    return [Part(text.format(k=k), ("loops", "tiles", "glue")[k % 3]) for k in range(count)]


def test_parts_compiled_side_by_side_are_those_compiled_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(jit, "_processors", lambda: 4)
    isa = target.isa(LEVEL)
    before = threading.active_count()
    made = jit.compiled_parts(parts(9), isa)
    assert threading.active_count() == before
    assert made == [target.compile_object(p.text, isa, p.pipeline) for p in parts(9)]
    monkeypatch.setattr(target, "compile_object", lambda *_: pytest.fail("the cache has them"))
    assert jit.compiled_parts(parts(9), isa) == made


def test_a_part_that_does_not_compile_ends_them_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(jit, "_processors", lambda: 4)
    before = threading.active_count()
    with pytest.raises(RuntimeError, match="LLVM IR parsing error"):
        jit.compiled_parts([*parts(5), Part("define nonsense", "loops")], target.isa(LEVEL))
    assert threading.active_count() == before
