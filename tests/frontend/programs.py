"""Comparing a compiled program with the same function run by Python."""

from __future__ import annotations

import copy
import linecache
import zlib
from typing import Any

import numpy as np

import mindspore as ms
from mindspore import Tensor


def t(*values: Any, dtype: Any = ms.float32) -> Tensor:
    """A tensor of `values`; 0-d for one."""
    return Tensor(np.array(values[0] if len(values) == 1 else values), dtype)


def plain(value: Any) -> Any:
    """`value` with numpy arrays in the place of tensors."""
    if isinstance(value, Tensor):
        return value.asnumpy().copy()
    if isinstance(value, tuple | list):
        return type(value)(plain(v) for v in value) if not hasattr(value, "_fields") else tuple(map(plain, value))
    return {k: plain(v) for k, v in value.items()} if isinstance(value, dict) else value


def assert_same(got: Any, wanted: Any) -> None:
    """Equal structure, element types and values."""
    assert type(got) is type(wanted), (got, wanted)
    if isinstance(wanted, np.ndarray):
        assert got.dtype == wanted.dtype
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)
    elif isinstance(wanted, tuple | list):
        assert len(got) == len(wanted), (got, wanted)
        for a, b in zip(got, wanted, strict=True):
            assert_same(a, b)
    elif isinstance(wanted, dict):
        assert list(got) == list(wanted)
        for key in wanted:
            assert_same(got[key], wanted[key])
    else:
        assert got == wanted or (got != got and wanted != wanted), (got, wanted)


def check(function: Any, *args: Any) -> Any:
    """Asserts that `function` gives the same compiled by both back ends as run by Python; gives that result."""
    wanted = plain(function(*copy.deepcopy(args)))
    for backend in ("cpu", "reference"):
        assert_same(plain(ms.jit(function, backend=backend)(*copy.deepcopy(args))), wanted)
    return wanted


def defined(text: str, name: str) -> Any:
    """What `text`, which linecache knows as a file, defines under `name`."""
    file = f"<{name} {zlib.crc32(text.encode())}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {"__name__": "programs_under_test"}
    exec(compile(text, file, "exec", dont_inherit=True), namespace)
    return namespace[name]
