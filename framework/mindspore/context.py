"""The process-wide settings: ``set_context``, ``get_context`` and the two execution modes.

Every key is one row of `_KEYS`: its default and the check that a new value must pass.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

__all__ = ["GRAPH_MODE", "PYNATIVE_MODE", "get_context", "reset_context", "set_context"]

GRAPH_MODE = 0
"""Cells are compiled: Python source to one native function."""
PYNATIVE_MODE = 1
"""Cells run as Python, operator by operator."""

_DEVICES = ("CPU", "GPU", "Ascend", "Davinci")
_BUILT_FOR = ("CPU",)


class Settings:
    """Current values as attributes, so that the hot path reads one attribute. Change them through `set_context`."""

    __slots__ = (
        "check_bprop",
        "deterministic",
        "device_id",
        "device_target",
        "enable_graph_kernel",
        "max_call_depth",
        "mode",
        "pynative_synchronize",
        "runtime_num_threads",
        "save_graphs",
        "save_graphs_path",
    )

    mode: int
    device_target: str
    device_id: int
    save_graphs: int
    save_graphs_path: str
    max_call_depth: int
    runtime_num_threads: int
    pynative_synchronize: bool
    deterministic: str
    check_bprop: bool
    enable_graph_kernel: bool


@dataclass(frozen=True, slots=True)
class _Key:
    default: Any
    check: Callable[[str, Any], Any]


def _typed(*types: type) -> Callable[[str, Any], Any]:
    expected = types[0] if len(types) == 1 else types

    def check(name: str, value: Any) -> Any:
        if not isinstance(value, types) or (bool not in types and isinstance(value, bool)):
            raise TypeError(f"The parameter '{name}' must be {expected}, but got {type(value)}.")
        return value

    return check


def _mode(name: str, value: Any) -> int:
    if _typed(int)(name, value) not in (GRAPH_MODE, PYNATIVE_MODE):
        raise ValueError(
            "For 'context.set_context', the argument 'mode' should be context.GRAPH_MODE (0) or "
            f"context.PYNATIVE_MODE (1), but got {value}."
        )
    return int(value)


def _device(name: str, value: Any) -> str:
    if _typed(str)(name, value) not in _DEVICES:
        raise ValueError(
            f"For 'context.set_context', the argument '{name}' must be one of {list(_DEVICES)}, but got {value}."
        )
    if value not in _BUILT_FOR:
        raise RuntimeError(
            f"Unsupported device target {value}. This process only supports one of the {list(_BUILT_FOR)}: this build of "
            f"mindspore has no {value} back end. Use device_target='CPU'."
        )
    return str(value)


def _between(low: int, high: int) -> Callable[[str, Any], int]:
    def check(name: str, value: Any) -> int:
        if not low <= _typed(int)(name, value) <= high:
            raise ValueError(
                f"For 'context.set_context', the argument '{name}' must be in range [{low}, {high}], but got {value}."
            )
        return int(value)

    return check


def _save_graphs(name: str, value: Any) -> int:
    if not 0 <= int(_typed(bool, int)(name, value)) <= 3:
        raise ValueError(f"value for {name} should be 0-3 but got '{value}'.")
    return 3 if value is True else int(value)


def _path(name: str, value: Any) -> str:
    given = str(_typed(str)(name, value))
    if os.path.exists(given) and not os.path.isdir(given):
        raise ValueError(
            f"For 'context.set_context', the argument '{name}' must be a directory, but {given} is a file."
        )
    return given


def _on_off(name: str, value: Any) -> str:
    if value not in ("ON", "OFF"):
        raise ValueError(
            f"For 'context.set_context', the argument '{name}' must be one of ['ON', 'OFF'], but got {value}."
        )
    return str(value)


_CALL_DEPTH = 1000
_KEYS: Mapping[str, _Key] = MappingProxyType(
    {
        "mode": _Key(PYNATIVE_MODE, _mode),
        "device_target": _Key("CPU", _device),
        "device_id": _Key(0, _between(0, 4095)),
        "save_graphs": _Key(0, _save_graphs),
        "save_graphs_path": _Key(".", _path),
        "max_call_depth": _Key(_CALL_DEPTH, _between(1, 2**31 - 1)),
        "runtime_num_threads": _Key(0, _between(0, 1024)),
        "pynative_synchronize": _Key(False, _typed(bool)),
        "deterministic": _Key("ON", _on_off),
        "check_bprop": _Key(False, _typed(bool)),
        "enable_graph_kernel": _Key(False, _typed(bool)),
    }
)

SETTINGS = Settings()


def reset_context() -> None:
    """Back to the defaults."""
    changed = getattr(SETTINGS, "max_call_depth", _CALL_DEPTH) != _CALL_DEPTH
    for name, key in _KEYS.items():
        setattr(SETTINGS, name, key.default)
    if changed:
        _set_call_depth(_CALL_DEPTH)


def _set_call_depth(depth: int) -> None:
    from mindspore import _native

    _native.set_max_call_depth(depth)


reset_context()


def _known(function: str, name: str) -> _Key:
    key = _KEYS.get(name)
    if key is None:
        raise ValueError(
            f"For 'context.{function}', the keyword argument {name} is not recognized; expected one of {', '.join(_KEYS)}."
        )
    return key


def set_context(**kwargs: Any) -> None:
    """Changes settings; nothing is changed when one of them is wrong.

    Args:
        mode: `GRAPH_MODE` (0) or `PYNATIVE_MODE` (1), the default.
        device_target: "CPU".
        device_id: number of the device, 0 to 4095.
        save_graphs: 0 to 3 (True is 3): write graphs as text, 1 the typed and the final one, 2 that after each stage, 3 also as SVG.
        save_graphs_path: folder for these files, the working directory when not set.
        max_call_depth: how many calls of functions in graphs may be active at once, while compiling and while recursion runs;
            1000 when not set.
        runtime_num_threads: threads of kernels, at most 1024, 0 for one per processor.
        pynative_synchronize: wait for each operator; on CPU every operator is finished when its call returns.
        deterministic: "ON" or "OFF"; kernels on CPU give the same bits for the same shapes and number of threads either way.
        check_bprop: what `bprop` of a Cell returns is checked either way.
        enable_graph_kernel: operators of a graph become common kernels either way.

    Raises:
        ValueError: an unknown key, or a value out of range.
        TypeError: a value of the wrong type.
        RuntimeError: a device that this build does not support.

    Examples:
        >>> import mindspore as ms
        >>> ms.set_context(mode=ms.GRAPH_MODE, device_target="CPU")
        >>> ms.get_context("mode")
        0
    """
    checked = {name: _known("set_context", name).check(name, value) for name, value in kwargs.items()}
    for name, value in checked.items():
        setattr(SETTINGS, name, value)
    if "runtime_num_threads" in checked:
        _set_threads(checked["runtime_num_threads"])
    if "max_call_depth" in checked:
        _set_call_depth(checked["max_call_depth"])


def _set_threads(count: int) -> None:
    from mindspore import _native

    every = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    _native.set_num_threads(count or every)


def get_context(attr_key: str) -> Any:
    """The current value of a setting; ValueError for an unknown key."""
    if not isinstance(attr_key, str):
        raise TypeError(f"For 'context.get_context', the 'attr_key' must be str, but got {type(attr_key).__name__}.")
    _known("get_context", attr_key)
    return getattr(SETTINGS, attr_key)
