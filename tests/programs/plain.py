"""Running a program as plain Python over numpy, and how close its comparisons were to deciding otherwise."""

from __future__ import annotations

import linecache
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np


class Watched(np.ndarray):
    """An array whose comparisons record the distance of their operands."""

    margin: ClassVar[float] = np.inf

    def _compare(self, name: str, other: Any) -> Any:
        left, right = np.asarray(self), np.asarray(other)
        if left.dtype.kind == "f" and left.size:
            Watched.margin = min(Watched.margin, float(np.min(np.abs(left - right))))
        return getattr(left, name)(right)

    def __lt__(self, other: Any) -> Any:
        return self._compare("__lt__", other)

    def __gt__(self, other: Any) -> Any:
        return self._compare("__gt__", other)

    def __le__(self, other: Any) -> Any:
        return self._compare("__le__", other)

    def __ge__(self, other: Any) -> Any:
        return self._compare("__ge__", other)

    def __iadd__(self, other: Any) -> Any:  # type: ignore[misc]
        """Tensors are values: the name is bound to a new one."""
        return self + other

    def __isub__(self, other: Any) -> Any:  # type: ignore[misc]
        return self - other

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        """Results stay watched, also those of zero dimensions, which numpy would turn into numbers."""
        return watched(array)

    def __getitem__(self, key: Any) -> Any:
        return watched(np.asarray(self)[key])

    def sum(self, *args: Any, **kwargs: Any) -> Any:
        return watched(np.asarray(self).sum(*args, **kwargs))

    def __index__(self) -> int:
        return int(np.asarray(self).item())


def watched(value: Any) -> Any:
    return np.array(value).view(Watched)


NAMES = {
    "ops": SimpleNamespace(tanh=np.tanh, sin=np.sin, cos=np.cos, exp=np.exp, abs=np.abs),
    "nn": SimpleNamespace(Cell=object),
    "Parameter": lambda value, name: value,
    "Tensor": watched,
    "np": np,
}
"""What the names in programs mean to numpy."""


def define(source: str, names: dict[str, Any], file: str) -> Any:
    """The function ``f`` or the class ``Net`` of `source`; its lines are found under the file name `file`."""
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    namespace = {"__name__": file.removesuffix(".py"), **names}
    exec(compile(source, file, "exec"), namespace)
    return namespace.get("Net") or namespace["f"]


@dataclass
class Outcome:
    """What one run gives: the result, the Parameters afterwards, and the least margin of all comparisons."""

    result: float
    state: list[np.ndarray]
    margin: float


def run(program: Any, arguments: Sequence[Any], weights: Sequence[Any] = ()) -> Outcome:
    """Runs a program of `define`; a Cell begins with the `weights`."""
    net = program() if isinstance(program, type) else None
    if net is not None and weights:
        net.s, net.w = map(watched, weights)
    Watched.margin = np.inf
    result = (net.construct if net is not None else program)(*map(watched, arguments))
    state = [] if net is None else [np.asarray(net.s), np.asarray(net.w)]
    return Outcome(float(np.asarray(result)), state, Watched.margin)


def slopes(
    program: Any, arguments: Sequence[Any], weights: Sequence[Any] = (), wrt: int = 3, step: float = 1e-6
) -> list[np.ndarray]:
    """Central differences for the first `wrt` arguments and all weights."""
    arrays = [np.array(a, np.float64) for a in (*arguments[:wrt], *weights)]
    found = []
    for array in arrays:
        slope = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            kept = array[place]
            ends = []
            for moved in (kept + step, kept - step):
                array[place] = moved
                ends.append(run(program, (*arrays[:wrt], *arguments[wrt:]), arrays[wrt:]).result)
            array[place] = kept
            slope[place] = (ends[0] - ends[1]) / (2 * step)
        found.append(slope)
    return found
