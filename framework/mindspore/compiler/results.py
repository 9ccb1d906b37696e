"""From a call's arguments to the executable's tensors, and from its outputs back to the Python value the function returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mindspore._native import TensorBase
from mindspore.base.dtypes import to_numpy
from mindspore.infer.output import AsTensor, Field
from mindspore.ir.effects import Output, completed

Path = Sequence[Any]
Run = Callable[[Sequence[Any], Mapping[str, Any]], Any]
"""A compiled call over its arguments and keyword arguments."""


def runnable(
    execute: Callable[..., tuple[Any, ...]],
    arguments: Sequence[Path],
    result: Any,
    outputs: int,
    updates: Mapping[int, int],
) -> Run:
    """The call of a function whose graph `execute` runs."""
    pick, build = argument_picker(arguments), result_builder(result, outputs, updates)
    return lambda args, kwargs: build(execute(*pick(args, kwargs)))


def argument_picker(paths: Sequence[Path]) -> Callable[[Sequence[Any], Mapping[str, Any]], Sequence[Any]]:
    """A function that finds the tensors at `paths` in (args, kwargs); ``(0, 2)`` is ``args[2]``, ``(1, "x")`` is ``kwargs["x"]``."""
    simple = [tuple(p) for p in paths]
    if simple == [(0, i) for i in range(len(simple))]:
        count = len(simple)
        return lambda args, kwargs: args if len(args) == count else args[:count]

    def pick(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Sequence[Any]:
        return [_follow((args, kwargs), path) for path in simple]

    return pick


def _follow(value: Any, path: Path) -> Any:
    for step in path:
        if isinstance(step, AsTensor):
            value = TensorBase.from_numpy(np.asarray(value, to_numpy(step.dtype)), True)
        else:
            value = getattr(value, step) if isinstance(step, Field) else value[step]
    return value


def result_builder(tree: Any, outputs: int, updates: Mapping[int, int]) -> Callable[[tuple[Any, ...]], Any]:
    """A function from the returned tensors (those of `outputs` that are not written back) to the value described by `tree`."""
    returned = [i for i in range(outputs) if i not in updates]
    position = {output: i for i, output in enumerate(returned)}
    if isinstance(tree, Output):
        index = position[tree.index]
        return lambda results: results[index]
    return lambda results: completed(tree, lambda index: results[position[index]])
