"""Settings: defaults, checks, and that nothing changes when one of several is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import mindspore as ms
from mindspore import context


def test_defaults_are_mindspores() -> None:
    assert (context.GRAPH_MODE, context.PYNATIVE_MODE) == (0, 1)
    assert ms.get_context("mode") == ms.PYNATIVE_MODE
    assert context.get_context("device_target") == "CPU"
    assert ms.get_context("device_id") == 0
    assert ms.get_context("save_graphs") == 0
    assert ms.get_context("save_graphs_path") == "."
    assert ms.get_context("max_call_depth") == 1000


@pytest.mark.parametrize(
    ("settings", "stored"),
    [
        ({"mode": 0, "device_target": "CPU"}, {"mode": 0, "device_target": "CPU"}),
        ({"save_graphs": True}, {"save_graphs": 3}),
        ({"save_graphs": 2, "save_graphs_path": "x"}, {"save_graphs": 2, "save_graphs_path": "x"}),
        ({"device_id": 4095}, {"device_id": 4095}),
        (
            {"deterministic": "OFF", "pynative_synchronize": True, "check_bprop": True, "enable_graph_kernel": True},
            {"deterministic": "OFF", "pynative_synchronize": True, "check_bprop": True, "enable_graph_kernel": True},
        ),
        (
            {
                "jit_syntax_level": ms.STRICT,
                "max_device_memory": "3.5GB",
                "memory_optimize_level": "O0",
                "enable_compile_cache": False,
            },
            {
                "jit_syntax_level": 0,
                "max_device_memory": "3.5GB",
                "memory_optimize_level": "O0",
                "enable_compile_cache": False,
            },
        ),
    ],
)
def test_values_are_kept(settings: dict[str, Any], stored: dict[str, Any]) -> None:
    ms.set_context(**settings)
    assert {k: ms.get_context(k) for k in stored} == stored


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"mode": 5}, ValueError, "GRAPH_MODE .0.*got 5"),
        ({"mode": "x"}, TypeError, "int.*str"),
        ({"mode": True}, TypeError, "bool"),
        ({"foo": 5}, ValueError, "foo is not recognized.*device_target"),
        ({"device_target": "TPU"}, ValueError, "TPU"),
        ({"device_target": "GPU"}, RuntimeError, "GPU.*CPU"),
        ({"device_target": "Ascend"}, RuntimeError, "Ascend.*CPU"),
        ({"device_id": -1}, ValueError, "4095.*-1"),
        ({"device_id": "a"}, TypeError, "device_id"),
        ({"save_graphs": 4}, ValueError, "0-3.*4"),
        ({"save_graphs": "a"}, TypeError, "save_graphs"),
        ({"deterministic": "yes"}, ValueError, "ON"),
        ({"check_bprop": 1}, TypeError, "'check_bprop' must be <class 'bool'>"),
        ({"save_graphs_path": __file__}, ValueError, "directory"),
        ({"jit_syntax_level": 7}, ValueError, "'jit_syntax_level' must be one of .0, 1, 2., but got 7"),
        ({"max_device_memory": "3GiB"}, ValueError, "ending with 'GB'.*got 3GiB"),
        ({"ascend_config": {}}, ValueError, "ascend_config is for Ascend devices"),
        ({"precompile_only": True}, ValueError, "precompile_only is for other devices"),
    ],
)
def test_wrong_settings_are_refused_and_change_nothing(
    settings: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        ms.set_context(**{"max_call_depth": 7, **settings})
    assert ms.get_context("max_call_depth") == 1000


def test_an_unknown_key_cannot_be_read() -> None:
    with pytest.raises(ValueError, match="foo is not recognized"):
        ms.get_context("foo")


@pytest.mark.compiler
def test_threads_reach_the_pool() -> None:
    from mindspore import _native

    before = _native.get_num_threads()
    try:
        ms.set_context(runtime_num_threads=1)
        assert _native.get_num_threads() == 1
    finally:
        _native.set_num_threads(before)


def test_the_path_may_not_exist_yet(tmp_path: Path) -> None:
    ms.set_context(save_graphs_path=str(tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def test_unknown_names_of_the_package_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        ms.nothing  # noqa: B018
    assert "Tensor" in dir(ms)
    assert ms.float32 is ms.dtype.float32


def test_names_of_settings_and_devices_are_strings() -> None:
    with pytest.raises(TypeError, match="'attr_key' must be str, but got int"):
        ms.get_context(1)
    with pytest.raises(TypeError, match="'device_target' must be <class 'str'>"):
        ms.set_context(device_target=1)


def test_more_threads_than_the_runtime_has_change_nothing() -> None:
    with pytest.raises(ValueError, match=r"'runtime_num_threads' must be in range \[0, 1024\], but got 1025"):
        ms.set_context(mode=ms.GRAPH_MODE, runtime_num_threads=1025)
    assert (ms.get_context("mode"), ms.get_context("runtime_num_threads")) == (ms.PYNATIVE_MODE, 0)


def test_a_folder_for_graphs_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    ms.set_context(save_graphs=1, save_graphs_path=str(taken / "graphs"))
    taken.write_text("", encoding="utf-8")
    with pytest.raises(NotADirectoryError, match=r"cannot be saved in 'save_graphs_path'.*save_graphs=0.*graphs"):
        ms.jit(lambda x: x + 1)(ms.Tensor(1.0))


def test_parallel_settings() -> None:
    assert ms.get_auto_parallel_context("parallel_mode") == ms.ParallelMode.STAND_ALONE == "stand_alone"
    settings = {
        "parallel_mode": "data_parallel",
        "gradients_mean": True,
        "device_num": 1,
        "global_rank": 0,
        "full_batch": True,
    }
    ms.set_auto_parallel_context(**settings)
    assert {k: context.get_auto_parallel_context(k) for k in settings} == settings
    context.reset_auto_parallel_context()
    assert context.get_auto_parallel_context("gradients_mean") is False


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"parallel_mode": "x"}, ValueError, "'stand_alone', 'data_parallel'.*: x"),
        ({"parallel_mode": "semi_auto_parallel"}, RuntimeError, "splits operators over devices.*STAND_ALONE"),
        ({"device_num": 0}, ValueError, "'device_num' must be a positive integer.*: 0"),
        ({"device_num": 8}, RuntimeError, "'device_num' must be 1, because .* one device; got 8"),
        ({"device_num": "a"}, TypeError, "'device_num' must be <class 'int'>"),
        ({"global_rank": 3}, RuntimeError, "'global_rank' must be 0.*got 3"),
        ({"gradients_mean": 1}, TypeError, "'gradients_mean' must be <class 'bool'>"),
        ({"search_mode": "z"}, ValueError, "recursive_programming.*got z"),
        ({"nothing": 1}, ValueError, "nothing is not recognized.*parallel_mode"),
    ],
)
def test_wrong_parallel_settings_change_nothing(settings: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        ms.set_auto_parallel_context(**{"gradients_mean": True, **settings})
    assert ms.get_auto_parallel_context("gradients_mean") is False
    with pytest.raises(ValueError, match=r"get_auto_parallel_context.*nothing is not recognized"):
        ms.get_auto_parallel_context("nothing")
