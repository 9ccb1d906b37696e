"""Native tests leave the process as they found it: other rooms register their own tensor class, operators and tape."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

_SLOTS = (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "neg", "abs", "pos", "and", "or", "xor", "invert",
    "lt", "le", "gt", "ge", "eq", "ne", "getitem",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    native = pytest.importorskip("mindspore._native")
    from mindspore.base import dtypes

    native.set_dtypes(list(dtypes.ALL))
    kind, threads, level = native.get_tensor_type(), native.get_num_threads(), native.isa_level()
    operators = {slot: native.get_operator(slot) for slot in _SLOTS}
    native.set_tensor_type(native.TensorBase)
    for slot in _SLOTS:
        native.set_operator(slot, None)
    yield
    for slot, function in operators.items():
        native.set_operator(slot, function)
    native.set_tensor_type(kind)
    native.set_tape(None)
    native.set_cancel(False)
    native.set_num_threads(threads)
    native.set_isa_level(level)
