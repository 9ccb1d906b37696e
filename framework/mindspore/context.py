"""The process-wide settings: ``set_context``, ``get_context`` and the two execution modes; ``set_auto_parallel_context`` and its like.

Every key is one row of `_KEYS` or `_PARALLEL`: its default and the check that a new value must pass.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

__all__ = [
    "COMPATIBLE",
    "GRAPH_MODE",
    "LAX",
    "PYNATIVE_MODE",
    "STRICT",
    "ParallelMode",
    "get_auto_parallel_context",
    "get_context",
    "reset_auto_parallel_context",
    "reset_context",
    "set_auto_parallel_context",
    "set_context",
]

GRAPH_MODE = 0
"""Cells are compiled: Python source to one native function."""
PYNATIVE_MODE = 1
"""Cells run as Python, operator by operator."""
STRICT, COMPATIBLE, LAX = 0, 1, 2
"""Levels of ``jit_syntax_level``."""

_DEVICES = ("CPU", "GPU", "Ascend", "Davinci")
_BUILT_FOR = ("CPU",)


class Settings:
    """Current values as attributes, so that the hot path reads one attribute. Change them through `set_context`."""

    __slots__ = (
        "check_bprop",
        "deterministic",
        "device_id",
        "device_target",
        "enable_compile_cache",
        "enable_graph_kernel",
        "enable_reduce_precision",
        "grad_for_scalar",
        "inter_op_parallel_num",
        "jit_syntax_level",
        "max_call_depth",
        "max_device_memory",
        "memory_optimize_level",
        "mode",
        "op_timeout",
        "pynative_synchronize",
        "reserve_class_name_in_scope",
        "runtime_num_threads",
        "save_graphs",
        "save_graphs_path",
        "variable_memory_max_size",
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
    enable_compile_cache: bool
    enable_reduce_precision: bool
    grad_for_scalar: bool
    inter_op_parallel_num: int
    jit_syntax_level: int
    max_device_memory: str
    memory_optimize_level: str
    op_timeout: int
    reserve_class_name_in_scope: bool
    variable_memory_max_size: str


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


def _one_of(*values: Any) -> Callable[[str, Any], Any]:
    def check(name: str, value: Any) -> Any:
        if value not in values or isinstance(value, bool):
            raise ValueError(
                f"For 'context.set_context', the argument '{name}' must be one of {list(values)}, but got {value}."
            )
        return value

    return check


def _gigabytes(name: str, value: Any) -> str:
    """An amount of memory, as "3.5GB"."""
    if not re.fullmatch(r"[1-9][0-9]*(\.[0-9]+)?GB|0\.[0-9]+GB", _typed(str)(name, value)):
        raise ValueError(
            f"For 'context.set_context', the argument '{name}' should be in correct format! It must be a string ending with 'GB', "
            f'such as "3.5GB", but got {value}.'
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
        "deterministic": _Key("ON", _one_of("ON", "OFF")),
        "check_bprop": _Key(False, _typed(bool)),
        "enable_graph_kernel": _Key(False, _typed(bool)),
        "enable_compile_cache": _Key(True, _typed(bool)),
        "enable_reduce_precision": _Key(True, _typed(bool)),
        "grad_for_scalar": _Key(True, _typed(bool)),
        "inter_op_parallel_num": _Key(0, _between(0, 2**31 - 1)),
        "jit_syntax_level": _Key(LAX, _one_of(STRICT, COMPATIBLE, LAX)),
        "max_device_memory": _Key("1024GB", _gigabytes),
        "memory_optimize_level": _Key("O1", _one_of("O0", "O1")),
        "op_timeout": _Key(900, _between(0, 2**31 - 1)),
        "reserve_class_name_in_scope": _Key(True, _typed(bool)),
        "variable_memory_max_size": _Key("1024GB", _gigabytes),
    }
)
_ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(
            ("ascend_config", "aoe_config", "aoe_tune_mode", "auto_tune_mode", "print_file_path"), "Ascend devices"
        ),
        **dict.fromkeys(("gpu_config", "graph_kernel_flags", "conv_fprop_algo"), "GPUs"),
        **dict.fromkeys(("enable_dump", "save_dump_path"), "the dump of other devices; save_graphs writes graphs"),
        **dict.fromkeys(("enable_profiling", "profiling_options"), "the profiler of other devices"),
        "precompile_only": "other devices; on CPU the first call compiles and runs",
        "compile_cache_path": "the environment here: XDG_CACHE_HOME says where compilations are kept",
    }
)
"""Keys of MindSpore that say something about what this build does not have."""

SETTINGS = Settings()


def reset_context() -> None:
    """Back to the defaults."""
    reset_auto_parallel_context()
    changed = getattr(SETTINGS, "max_call_depth", _CALL_DEPTH) != _CALL_DEPTH
    for name, key in _KEYS.items():
        setattr(SETTINGS, name, key.default)
    if changed:
        _set_call_depth(_CALL_DEPTH)


def _set_call_depth(depth: int) -> None:
    from mindspore import _native

    _native.set_max_call_depth(depth)


def _known(function: str, name: str) -> _Key:
    key = _KEYS.get(name)
    if key is None and name in _ELSEWHERE:
        raise ValueError(f"For 'context.{function}', the keyword argument {name} is for {_ELSEWHERE[name]}.")
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
        enable_compile_cache: whether compilations are kept on disk for later processes; True when not set.
        jit_syntax_level: `STRICT`, `COMPATIBLE` or `LAX`; the same programs compile at each.
        grad_for_scalar: numbers have gradients where a function is differentiated for them, either way.
        memory_optimize_level, inter_op_parallel_num, enable_reduce_precision, reserve_class_name_in_scope, op_timeout, max_device_memory,
            variable_memory_max_size: settings of other devices; they are checked and kept, and change nothing on CPU.

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


class ParallelMode:
    """Ways to spread training over devices, for ``set_auto_parallel_context(parallel_mode=...)``."""

    STAND_ALONE = "stand_alone"
    DATA_PARALLEL = "data_parallel"
    HYBRID_PARALLEL = "hybrid_parallel"
    SEMI_AUTO_PARALLEL = "semi_auto_parallel"
    AUTO_PARALLEL = "auto_parallel"
    MODE_LIST = (STAND_ALONE, DATA_PARALLEL, HYBRID_PARALLEL, SEMI_AUTO_PARALLEL, AUTO_PARALLEL)


_ONE_DEVICE = "this build of mindspore runs on one device"


def _parallel_mode(name: str, value: Any) -> str:
    if value not in ParallelMode.MODE_LIST:
        raise ValueError(
            f"The context configuration parameter '{name}' only support {', '.join(map(repr, ParallelMode.MODE_LIST))}, but got the "
            f"value : {value}."
        )
    if value in (ParallelMode.SEMI_AUTO_PARALLEL, ParallelMode.AUTO_PARALLEL):
        raise RuntimeError(
            f"The parallel mode {value} splits operators over devices, but {_ONE_DEVICE}. Use ParallelMode.STAND_ALONE."
        )
    return str(value)


def _only(value: Any, problem: str) -> Callable[[str, Any], Any]:
    """A value of the type of `value` that must be equal to it, because of `problem`."""

    def check(name: str, given: Any) -> Any:
        if _typed(type(value))(name, given) != value:
            raise RuntimeError(f"'{name}' must be {value!r}, because {problem}; got {given!r}.")
        return given

    return check


def _devices(name: str, value: Any) -> int:
    if _typed(int)(name, value) < 1:
        raise ValueError(
            f"The context configuration parameter '{name}' must be a positive integer, but got the value of {name} : {value}."
        )
    return int(_only(1, _ONE_DEVICE)(name, value))


_PARALLEL: Mapping[str, _Key] = MappingProxyType(
    {
        "parallel_mode": _Key(ParallelMode.STAND_ALONE, _parallel_mode),
        "device_num": _Key(1, _devices),
        "global_rank": _Key(0, _only(0, _ONE_DEVICE)),
        "pipeline_stages": _Key(1, _devices),
        "gradients_mean": _Key(False, _typed(bool)),
        "gradient_fp32_sync": _Key(True, _typed(bool)),
        "loss_repeated_mean": _Key(True, _typed(bool)),
        "parameter_broadcast": _Key(False, _typed(bool)),
        "full_batch": _Key(False, _typed(bool)),
        "dataset_strategy": _Key("data_parallel", _one_of("data_parallel", "full_batch")),
        "enable_parallel_optimizer": _Key(False, _only(False, _ONE_DEVICE)),
        "all_reduce_fusion_config": _Key([], _typed(list)),
        "strategy_ckpt_load_file": _Key("", _only("", "no operator is split over devices")),
        "strategy_ckpt_save_file": _Key("", _only("", "no operator is split over devices")),
        "search_mode": _Key(
            "recursive_programming", _one_of("recursive_programming", "dynamic_programming", "sharding_propagation")
        ),
        "auto_parallel_search_mode": _Key(
            "recursive_programming", _one_of("recursive_programming", "dynamic_programming", "sharding_propagation")
        ),
    }
)
_parallel: dict[str, Any] = {}
"""What was set, by key."""


def _parallel_key(function: str, name: str) -> _Key:
    if name not in _PARALLEL:
        raise ValueError(
            f"For '{function}', the keyword {name} is not recognized; expected one of {', '.join(_PARALLEL)}."
        )
    return _PARALLEL[name]


def set_auto_parallel_context(**kwargs: Any) -> None:
    """Changes how training is spread over devices. On the one device of this build data parallelism is training as it is.

    Args:
        parallel_mode: "stand_alone", "data_parallel" or "hybrid_parallel", which are the same on one device.
        device_num, pipeline_stages: 1.
        global_rank: 0.
        gradients_mean, gradient_fp32_sync, loss_repeated_mean, parameter_broadcast, full_batch: bool.
        dataset_strategy: "data_parallel" or "full_batch".
        enable_parallel_optimizer: False.
        all_reduce_fusion_config: list of int.
        search_mode, auto_parallel_search_mode: "recursive_programming", "dynamic_programming" or "sharding_propagation".

    Raises:
        ValueError: an unknown key or value.
        TypeError: a value of the wrong type.
        RuntimeError: a value that needs more than one device.

    Examples:
        >>> import mindspore as ms
        >>> ms.set_auto_parallel_context(parallel_mode=ms.ParallelMode.DATA_PARALLEL, gradients_mean=True)
        >>> ms.get_auto_parallel_context("parallel_mode")
        'data_parallel'
        >>> ms.reset_auto_parallel_context()
    """
    _parallel.update({k: _parallel_key("set_auto_parallel_context", k).check(k, v) for k, v in kwargs.items()})


def get_auto_parallel_context(attr_key: str) -> Any:
    """The current value of a setting of `set_auto_parallel_context`; ValueError for an unknown key."""
    return _parallel.get(attr_key, _parallel_key("get_auto_parallel_context", attr_key).default)


def reset_auto_parallel_context() -> None:
    """Settings of `set_auto_parallel_context` back to the defaults."""
    _parallel.clear()


reset_context()
