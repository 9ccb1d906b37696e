"""What a program does that can be seen from outside, in PYNATIVE mode and compiled by each back end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, nn
from mindspore.infer.errors import Located

Program = Callable[..., Any]


@dataclass(frozen=True)
class Outcome:
    """The printed text, the result or the exception (its class and message), and the Parameters afterwards."""

    printed: str
    result: Any
    parameters: Mapping[str, Any]


def plain(value: Any) -> Any:
    """`value` with tensors as lists."""
    if isinstance(value, Tensor):
        return np.round(value.asnumpy(), 5).tolist()
    if isinstance(value, tuple | list):
        return type(value)(map(plain, value))
    return {k: plain(v) for k, v in value.items()} if isinstance(value, dict) else value


def _failure(error: Exception) -> tuple[str, str]:
    """Class and message; compiled code puts source positions in front of the message."""
    kind = next(c for c in type(error).__mro__ if c is not Located and not c.__name__.startswith("Graph"))
    return kind.__name__, str(error)


def outcome(make: Callable[[], Program], mode: str, capsys: pytest.CaptureFixture[str], *args: Any) -> Outcome:
    """What `make()` does when called with `args`: ``python``, or compiled for the back end `mode`."""
    program = make()
    net = getattr(program, "__self__", program)
    run = program if mode == "python" else ms.jit(program, backend=mode)
    capsys.readouterr()
    try:
        result: Any = plain(run(*args))
    except Exception as error:
        result = _failure(error)
    held = net.parameters_and_names() if isinstance(net, nn.Cell) else ()
    return Outcome(capsys.readouterr().out, result, {name: plain(p) for name, p in held})


def same(make: Callable[[], Program], capsys: pytest.CaptureFixture[str], *args: Any) -> Outcome:
    """The outcome, which must be the same in PYNATIVE mode and on all back ends, but for the source positions in errors."""
    wanted = outcome(make, "python", capsys, *args)
    for mode in ("cpu", "reference"):
        found = outcome(make, mode, capsys, *args)
        if isinstance(found.result, tuple) and isinstance(wanted.result, tuple) and found.result != wanted.result:
            assert (found.result[0], found.result[1].endswith(wanted.result[1])) == (wanted.result[0], True), mode
            found = replace(found, result=wanted.result)
        assert found == wanted, mode
    return wanted
