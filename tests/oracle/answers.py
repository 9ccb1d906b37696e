"""Reads the recorded answers and asks our side the same."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from mindspore.backends.reference.evaluate import evaluate
from mindspore.backends.reference.numpy_builder import NumpyBuilder, type_of
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import Graph, Parameter
from mindspore.ir.operator import find
from mindspore.ir.types import TupleType
from tests.oracle.trials import Array, DTypeName, Trial
from tests.primitives.pullback import pullback

FOLDER = Path(__file__).resolve().parent / "recorded"
BY_ATTRIBUTE: Mapping[str, DType] = {t.attribute: t for t in dt.ALL}
BY_NAME: Mapping[str, DType] = {t.name: t for t in dt.ALL}


@cache
def family(name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


def answer(trial: Trial) -> Mapping[str, Any]:
    found: Mapping[str, Any] = family(trial.key.split("/")[0])[trial.key]
    return found


def array(part: Mapping[str, Any]) -> Any:
    """A recorded tensor; BFloat16 is stored as float32."""
    kind = dt.to_numpy(BY_NAME[part["dtype"]])
    stored = np.dtype(np.float32) if part["dtype"] == "BFloat16" else kind
    return np.frombuffer(base64.b64decode(part["data"]), stored).reshape(part["shape"]).astype(kind)


def tensor(given: Array) -> Any:
    return np.array(given.values, np.float64 if given.dtype == "bfloat16" else None).astype(
        dt.to_numpy(BY_ATTRIBUTE[given.dtype])
    )


def attributes(trial: Trial) -> dict[str, Any]:
    return {k: BY_ATTRIBUTE[v.name] if isinstance(v, DTypeName) else v for k, v in trial.attrs.items()}


def by_reference(trial: Trial) -> tuple[Any, ...]:
    """Our outputs by the reference meaning, promotion and inference included."""
    with np.errstate(all="ignore"):
        result = NumpyBuilder().call(find(trial.operator), *map(tensor, trial.inputs), **attributes(trial))
    return result if isinstance(result, tuple) else (result,)


def gradients(trial: Trial) -> list[Any]:
    """Our gradients of the sum of all outputs."""
    operands = [tensor(a) for a in trial.inputs]
    b = GraphBuilder()
    parameters = [Parameter(f"x{i}", type_of(o)) for i, o in enumerate(operands)]
    out = b.call(find(trial.operator), *parameters, **attributes(trial))
    assert not isinstance(out.type, TupleType)
    found = pullback(b.reduce_sum(out), [parameters[i] for i in trial.gradient])
    with np.errstate(all="ignore"):
        return [evaluate(Graph("gradient", parameters, g), operands) for g in found]


Answerer = Callable[[Trial], tuple[Any, ...]]
