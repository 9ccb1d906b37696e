"""Records what the published MindSpore wheel answers: values, element types and errors.

Run it with the interpreter of an environment that has that wheel (``pip install mindspore``) and not this project, from this
folder: ``python record.py``. It writes one JSON file per family into ``recorded/``; the tests read those files alone.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from trials import EVERY, NUMBERS, Array, DTypeName, Trial, trials  # type: ignore[import-not-found]

FOLDER = Path(__file__).resolve().parent / "recorded"


class Recorder:
    """Calls the wheel; the import is here so that the module can be read without it."""

    def __init__(self) -> None:
        import mindspore
        from mindspore import ops
        from mindspore.ops import operations

        self.ms, self.ops, self.operations = mindspore, ops, operations
        # Errors of asynchronous calls would surface in later ones.
        mindspore.set_context(mode=mindspore.PYNATIVE_MODE, device_target="CPU", pynative_synchronize=True)

    def given(self, value: Any) -> Any:
        if isinstance(value, Array):
            kind = getattr(self.ms, value.dtype)
            wide = np.float32 if value.dtype == "bfloat16" else np.dtype(value.dtype.rstrip("_"))
            return self.ms.Tensor(np.array(value.values, wide), kind)
        if isinstance(value, DTypeName):
            return getattr(self.ms, value.name)
        if isinstance(value, tuple) and any(isinstance(v, Array) for v in value):
            return tuple(map(self.given, value))
        return value

    def stored(self, result: Any) -> list[dict[str, Any]]:
        parts = result if isinstance(result, (tuple, list)) else (result,)
        found = []
        for part in parts:
            half = part.dtype == self.ms.bfloat16
            array = np.ascontiguousarray((part.astype(self.ms.float32) if half else part).asnumpy())
            data = base64.b64encode(array.tobytes()).decode()
            found.append({"dtype": str(part.dtype), "shape": list(part.shape), "data": data})
        return found

    def answer(self, call: Callable[[], Any]) -> dict[str, Any]:
        try:
            return {"outputs": self.stored(call())}
        except Exception as error:
            return {"error": type(error).__name__, "message": " ".join(str(error).split())[:160]}

    def run(self, trial: Trial) -> dict[str, Any]:
        arguments = [self.given(a) for a in trial.arguments]
        if trial.operator == "ApplyMomentum":
            return self.answer(lambda: self.stepped(trial, arguments))
        answer = self.answer(lambda: self.callable(trial)(*arguments))
        if trial.gradient and "outputs" in answer:
            answer["gradient"] = self.answer(lambda: self.gradient(trial)).get("outputs")
        return answer

    def callable(self, trial: Trial) -> Callable[..., Any]:
        """The wheel's function, or the object of its class."""
        init = {name: self.given(value) for name, value in trial.init.items()}
        if trial.function:
            return partial(getattr(self.ops, trial.function), **init)
        return getattr(self.operations, trial.operator)(**init)  # type: ignore[no-any-return]

    def stepped(self, trial: Trial, arguments: list[Any]) -> list[Any]:
        """What an optimizer's step stored in its first two arguments."""
        state = [self.ms.Parameter(a, name=f"state{i}") for i, a in enumerate(arguments[:2])]
        getattr(self.operations, trial.operator)(**trial.init)(*state, *arguments[2:])
        return [self.ms.Tensor(s.asnumpy()) for s in state]

    def gradient(self, trial: Trial) -> Any:
        operator = self.callable(trial)
        given = [self.given(a) for a in trial.inputs]
        rest = [self.given(a) for a in trial.arguments if not isinstance(a, Array)]
        listed = any(isinstance(a, tuple) and a and isinstance(a[0], Array) for a in trial.arguments)

        def function(*tensors: Any) -> Any:
            return operator(tensors) if listed else operator(*tensors, *rest)

        gradients = self.ops.GradOperation(get_all=True)(function)(*given)
        return [gradients[i] for i in trial.gradient]

    def promotion(self) -> dict[str, Any]:
        """The element type of ``x + y`` for tensors, and for a tensor and a number."""
        table: dict[str, Any] = {}
        for left in EVERY:
            x = self.given(Array([1], left))
            for right in EVERY:
                table[f"{left} {right}"] = self.type_of_sum(x, self.given(Array([1], right)))
            for name, number in NUMBERS.items():
                table[f"{left} number {name}"] = self.type_of_sum(x, number)
        return table

    def type_of_sum(self, x: Any, y: Any) -> str:
        answer = self.answer(lambda: x + y)
        return str(answer["outputs"][0]["dtype"] if "outputs" in answer else answer["error"])


def main() -> None:
    recorder = Recorder()
    families: dict[str, dict[str, Any]] = {"promotion": recorder.promotion()}
    for trial in trials():
        family = families.setdefault(trial.key.split("/")[0], {})
        if trial.key in family:
            raise ValueError(f"two trials are called {trial.key}")
        family[trial.key] = recorder.run(trial)
    FOLDER.mkdir(exist_ok=True)
    for name, entries in families.items():
        lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v, sort_keys=True)}" for k, v in sorted(entries.items()))
        (FOLDER / f"{name}.json").write_text("{\n" + lines + "\n}\n", encoding="utf-8")
    print(f"recorded {sum(map(len, families.values()))} answers of MindSpore {recorder.ms.__version__}")


if __name__ == "__main__":
    main()
