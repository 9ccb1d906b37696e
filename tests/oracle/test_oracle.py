"""Our answers against those recorded from the published wheel."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from mindspore.backends.reference.numpy_builder import NumpyBuilder
from mindspore.base import dtypes as dt
from mindspore.base.promotion import promote, scalar_dtype
from mindspore.ir.builder import complete_attrs
from mindspore.ir.operator import find
from tests.oracle.answers import (
    BY_ATTRIBUTE,
    FOLDER,
    answer,
    array,
    attributes,
    by_reference,
    family,
    gradients,
    tensor,
)
from tests.oracle.trials import NUMBERS, Trial, trials
from tests.primitives.runners import RUNNERS

TRIALS = tuple(trials())
LARGEST_FOLDER = 1_000_000
TOLERANCE = {
    "Float16": 2e-3,
    "BFloat16": 1.6e-2,
    "Float32": 6e-6,
    "Float64": 1e-12,
    "Complex64": 6e-6,
    "Complex128": 1e-12,
}
GRADIENT_TOLERANCE = 1e-5

DIFFERENCES: Mapping[str, str] = {
    r"unary/(ReLU|ReLU6)/specials|binary/(Maximum|Minimum)/specials": "NaN is handed on, as IEEE 754's maximum and minimum do; the wheel's "
    "CPU kernels lose it",
    r"unary/Sign/specials": "the sign of NaN is NaN, not 0",
    r"unary/(HSigmoid|HSwish)/int.*": "integers are computed as Float32: a slope of 1/6 is no integer",
    r"unary/Softplus/(specials|float64)": "the wheel is good to six digits in Float64, and has infinity for NaN",
    r"unary/Round/bool_": "Bool is a wrong element type: TypeError; the wheel fails while making its kernel",
    r"binary/(Div|RealDiv|FloorDiv|TruncateDiv)/specials": "signs follow IEEE 754; the wheel loses that of a divisor -0",
    r"binary/(FloorMod|Mod)/specials": "a remainder by infinity is the operand, one by zero NaN, as in C and Python",
    r"binary/(RealDiv|FloorDiv|TruncateDiv|FloorMod|Mod)/by zero": "integer division by zero gives 0 everywhere; the wheel's result is the "
    "processor's conversion of infinity",
    r"binary/Xlogy/specials": "0 wherever x is 0, as documented; the wheel has NaN for some y",
    r"binary/FloorDiv/bool_": "a quotient of truth values is refused",
    r"contraction/BatchMatMul/\(2, 1\)\(3,\).*": "leading dimensions broadcast; the wheel's CPU kernel cannot",
    r"complex/Cast/.* bool_": "a number with an imaginary part is not zero; the wheel looks at the real part alone",
    r"movement/Squeeze/1": "a dimension that is not 1 cannot be removed: ValueError, as documented; the wheel keeps it",
    r"movement/Flatten/scalar": "a shape that does not fit is a ValueError; the wheel has RuntimeError",
    r"movement/Concat/type.*": "element types that differ are a TypeError; the wheel fails while making its kernel",
    r"movement/StridedSlice/\(0, 2\) \(2, -4\) \(1, -1\)": "the wheel's gradient misses the first column of a reversed slice",
    r"windows/(AvgPool/(6 1 valid|2 2 pad)|Conv2D/6)": "sizes that do not fit together are a ValueError; the wheel has RuntimeError",
    r"loss/Sparse.*/range": "a class out of range adds nothing; a compiled loop cannot raise for one element",
    r"function/LeakyReLU/.*": "the slope at 0 is alpha, as documented; the wheel takes the mean of both",
    r"function/ApplyMomentum/\{'.*": "the documented meaning of use_nesterov and gradient_scale; the wheel's CPU kernel ignores both",
}
"""Trials that answer differently on purpose: pattern of their keys -> why."""

WIDER = re.compile(r"Unsupported data type|Kernel select failed|must be a type of|must be in \{|KernelMod Init Failed")
"""What the wheel says where it has no kernel for an element type. Ours may answer then."""


def difference(trial: Trial) -> str | None:
    return next((why for pattern, why in DIFFERENCES.items() if re.fullmatch(pattern, trial.key)), None)


def disagreement(trial: Trial) -> str | None:
    """What differs between the recorded answer and ours; None when nothing does."""
    recorded = answer(trial)
    try:
        ours = by_reference(trial)
    except (TypeError, ValueError) as error:
        kind = type(error).__name__
        return None if recorded.get("error") == kind else f"{kind}: {error}, recorded {recorded}"
    if "error" in recorded:
        wider = recorded["error"] in ("TypeError", "RuntimeError") and WIDER.search(recorded["message"])
        return None if wider else f"an answer, recorded {recorded['error']}: {recorded['message']}"
    wanted = [array(part) for part in recorded["outputs"]]
    if len(ours) != len(wanted):
        return f"{len(ours)} outputs, recorded {len(wanted)}"
    found = [_unlike(o, w, TOLERANCE) for o, w in zip(ours, wanted, strict=True)]
    if trial.gradient:
        expected = [array(part) for part in recorded["gradient"]]
        slack = dict.fromkeys(TOLERANCE, GRADIENT_TOLERANCE)
        found += [_unlike(o, w, slack) for o, w in zip(gradients(trial), expected, strict=True)]
    return next((f for f in found if f), None)


def _unlike(ours: Any, wanted: Any, tolerance: Mapping[str, float]) -> str | None:
    if ours.dtype != wanted.dtype or ours.shape != wanted.shape:
        return f"{ours.dtype} {ours.shape}, recorded {wanted.dtype} {wanted.shape}"
    slack = tolerance.get(dt.from_numpy(wanted.dtype).name, 0.0)
    wide = np.complex128 if wanted.dtype.kind == "c" else np.float64
    left, right = (v.astype(wide) for v in (ours, wanted))
    if np.allclose(left, right, rtol=slack, atol=slack, equal_nan=True):
        return None
    return f"{ours.tolist()}, recorded {wanted.tolist()}"


@pytest.mark.parametrize("trial", TRIALS, ids=lambda t: t.key)
def test_answers_agree(trial: Trial) -> None:
    why, found = difference(trial), disagreement(trial)
    if why is None:
        assert found is None, f"{trial.key}: {found}"


@pytest.mark.parametrize("pattern", DIFFERENCES)
def test_listed_differences_are_real(pattern: str) -> None:
    listed = [t for t in TRIALS if re.fullmatch(pattern, t.key)]
    assert any(disagreement(t) for t in listed), f"nothing differs in {[t.key for t in listed]}"


def settled(name: str) -> list[Trial]:
    """Trials of a family that both sides answer alike."""
    return [t for t in TRIALS if t.key.split("/")[0] == name and "error" not in answer(t) and difference(t) is None]


FAMILIES = sorted({t.key.split("/")[0] for t in TRIALS})


@pytest.mark.compiler
@pytest.mark.parametrize("runner", ["eager", "graph"])
@pytest.mark.parametrize("name", FAMILIES)
def test_kernels_give_the_recorded_answers(name: str, runner: str) -> None:
    listed = settled(name)
    assert listed
    b = NumpyBuilder()
    calls = []
    for trial in listed:
        op = find(trial.operator)
        operands = b.promoted(op, [tensor(a) for a in trial.inputs])
        calls.append((op, operands, complete_attrs(op, attributes(trial))))
    for trial, got in zip(listed, RUNNERS[runner](calls), strict=True):
        wanted = [array(part) for part in answer(trial)["outputs"]]
        found = [_unlike(o, w, TOLERANCE) for o, w in zip(got, wanted, strict=True)]
        assert not any(found), f"{trial.key} by {runner}: {found}"


def test_trials_have_names_of_their_own_and_are_all_recorded() -> None:
    keys = [t.key for t in TRIALS]
    assert len(set(keys)) == len(keys)
    recorded = {k for path in FOLDER.glob("*.json") if path.stem != "promotion" for k in family(path.stem)}
    assert recorded == set(keys)


def test_the_recorded_files_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < LARGEST_FOLDER


REFUSED_WIDTHS = ("uint16", "uint32", "uint64")
"""The wheel has no conversion between these and most other types; ours follow the rule for the others."""


@pytest.mark.parametrize("left", BY_ATTRIBUTE)
def test_promotion(left: str) -> None:
    table = family("promotion")
    for right, other in BY_ATTRIBUTE.items():
        wanted, got = table[f"{left} {right}"], str(promote(BY_ATTRIBUTE[left], other))
        if wanted == "TypeError":
            assert left in REFUSED_WIDTHS or right in REFUSED_WIDTHS, f"{left} + {right} gives {got}, recorded {wanted}"
        else:
            assert got == wanted, f"{left} + {right}"
    for name, number in NUMBERS.items():
        wanted, tensor = table[f"{left} number {name}"], BY_ATTRIBUTE[left]
        got = str(promote(tensor, scalar_dtype(number, tensor)))
        assert got == wanted or (wanted == "TypeError" and left in REFUSED_WIDTHS), (
            f"{left} + {name}: {got}, recorded {wanted}"
        )
