"""Functions that compiled code replaces by others, which say the same in the way that suits graphs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mindspore.infer.machine import Machine, builtin_calls
from mindspore.infer.values import Abstract, Known


def in_graphs(eager: Callable[..., Any], compiled: Callable[..., Any]) -> None:
    """A call of `eager` in a graph is a call of `compiled`."""

    def rule(machine: Machine, args: tuple[Abstract, ...], kwargs: Mapping[str, Abstract]) -> Abstract:
        return machine.call(Known(compiled), args, kwargs)

    builtin_calls[eager] = rule
