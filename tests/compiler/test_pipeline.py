"""The stages from a Python function to an executable: both back ends, saved graphs, guards, results."""

from __future__ import annotations

import functools
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, ops
from mindspore.compiler.options import Options
from mindspore.compiler.pipeline import compile_call
from mindspore.compiler.results import argument_picker, result_builder
from mindspore.infer.specialise import Output

pytestmark = pytest.mark.compiler
BACKENDS = ["cpu", "reference"]
Pair = namedtuple("Pair", ["left", "right"])


def tensor(*values: float) -> Tensor:
    return Tensor(np.array(values, np.float32))


def softened(x: Any, y: Any) -> Any:
    return ops.softmax(ops.tanh(x) * y + 1.0, -1)


@pytest.mark.parametrize("backend", BACKENDS)
def test_both_back_ends_run_the_same_graph(backend: str) -> None:
    x, y = np.linspace(-2, 2, 12, dtype=np.float32).reshape(3, 4), np.float32(0.5)
    compiled = compile_call(softened, (Tensor(x), Tensor(y)), {}, Options(backend))
    found = compiled.run((Tensor(x), Tensor(y)), {}).asnumpy()
    raw = np.exp(np.tanh(x) * y + 1)
    np.testing.assert_allclose(found, raw / raw.sum(-1, keepdims=True), rtol=1e-6)


def structured(x: Any) -> Any:
    return {"pair": Pair(x + 1.0, (x, 3)), "list": [x * 2.0, "text"]}


@pytest.mark.parametrize("backend", BACKENDS)
def test_results_keep_their_python_structure(backend: str) -> None:
    x = tensor(1, 2)
    found = compile_call(structured, (x,), {}, Options(backend)).run((x,), {})
    assert isinstance(found["pair"], Pair)
    assert found["pair"].left.asnumpy().tolist() == [2, 3]
    assert found["pair"].right[1] == 3
    assert [type(e) for e in found["list"]] == [type(x), str]
    inner = found["pair"].right[0]
    assert inner.data_ptr != x.data_ptr, "results are fresh storage"


def test_stages_are_saved_in_order_with_types_and_sources(tmp_path: Path) -> None:
    x = tensor(1, 2)
    compile_call(ms.grad(softened), (x, x), {}, Options("cpu", 2, str(tmp_path)))
    names = [p.name for p in sorted(tmp_path.iterdir())]
    stages = [n.split("_", 3)[-1].removesuffix(".ir") for n in names]
    assert not [n for n in names if n.startswith(".")], "no temporary files are left"
    text = "\n".join(names)
    for wanted in ("parsed", "specialised", "expand_composites", "share_common", "final"):
        assert wanted in text, stages
    final = next(p for p in tmp_path.iterdir() if p.name.endswith("final.ir")).read_text()
    assert "Float32[2]" in final
    assert "test_pipeline.py:" in final


def test_level_one_saves_the_first_and_the_last_graph_only(tmp_path: Path) -> None:
    x = tensor(1, 2)
    compile_call(softened, (x, x), {}, Options("cpu", 1, str(tmp_path)))
    endings = sorted(p.name.rsplit("_", 1)[-1] for p in tmp_path.iterdir() if "parsed" not in p.name)
    assert endings == ["final.ir", "specialised.ir"]


def test_nothing_is_saved_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    x = tensor(1, 2)
    compile_call(softened, (x, x), {}, Options("reference"))
    assert list(tmp_path.iterdir()) == []


SCALE = 2.0


def scaled(x: Any) -> Any:
    return x * SCALE


def test_guards_notice_a_changed_global() -> None:
    global SCALE
    x = tensor(1, 2)
    compiled = compile_call(scaled, (x,), {}, Options())
    assert compiled.guards.check()
    SCALE = 3.0
    try:
        assert not compiled.guards.check()
    finally:
        SCALE = 2.0
    assert compiled.guards.check()


def test_every_stage_keeps_the_rules_of_the_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MS_DEV_DEBUG", "1")
    x = tensor(0.3, -0.2)
    gradient = compile_call(ms.grad(ms.grad(softened)), (x, x), {}, Options()).run((x, x), {})
    reference = compile_call(ms.grad(ms.grad(softened)), (x, x), {}, Options("reference")).run((x, x), {})
    np.testing.assert_allclose(gradient.asnumpy(), reference.asnumpy(), rtol=1e-4, atol=1e-6)


def times_ten(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs) * 10.0

    return wrapper


@times_ten
def decorated(x: Any) -> Any:
    return x + 1.0


@functools.cache
def cached(x: Any) -> Any:
    return x + 2.0


@pytest.mark.parametrize(("function", "expected"), [(decorated, [20, 30]), (cached, [3, 4])])
def test_decorators_keep_their_meaning(function: Any, expected: list[float]) -> None:
    x = tensor(1, 2)
    assert compile_call(function, (x,), {}, Options()).run((x,), {}).asnumpy().tolist() == expected


def doublings(x: Any) -> Any:
    count = 0
    while x.sum() < 100.0:
        x = x * 2.0
        count += 1
    return count


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_loop_may_start_from_a_number(backend: str) -> None:
    x = tensor(1, 1)
    assert compile_call(doublings, (x,), {}, Options(backend)).run((x,), {}).item() == 6


def test_an_unknown_back_end_lists_those_there_are() -> None:
    with pytest.raises(ValueError, match="no back end 'tpu': expected one of 'cpu', 'reference'"):
        compile_call(scaled, (tensor(1),), {}, Options("tpu"))


def test_the_picker_follows_paths_into_arguments() -> None:
    pick = argument_picker([(0, 1), (0, 0, "k"), (1, "z")])
    assert pick(({"k": 1}, 2), {"z": 3}) == [2, 1, 3]
    assert argument_picker([(0, 0), (0, 1)])((5, 6), {}) == (5, 6)
    assert argument_picker([(0, 0)])((5, "constant"), {}) == (5,)


def test_written_back_outputs_are_left_out_of_the_result() -> None:
    build = result_builder((Output(0), Output(2), "kept"), 3, {1: 4})
    assert build(("first", "third")) == ("first", "third", "kept")
