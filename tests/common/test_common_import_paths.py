"""MindSpore's module paths give the same objects as the short ones."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import mindspore as ms
from mindspore import nn, ops
from mindspore.base.import_paths import PATHS


@pytest.mark.parametrize("path", sorted(PATHS))
def test_every_path_offers_the_names_of_its_home(path: str) -> None:
    home = import_module(PATHS[path])
    offered = import_module(path)
    for name in home.__all__:
        assert getattr(offered, name) is getattr(home, name)
    assert set(home.__all__) <= set(dir(offered))
    with pytest.raises(AttributeError, match=rf"module '{path}' has no attribute 'nothing'"):
        _ = offered.nothing


def test_from_imports_of_users() -> None:
    program = (
        "from mindspore.nn.optim import Momentum\n"
        "from mindspore.nn.layer.basic import Dense\n"
        "from mindspore.ops.operations.array_ops import Reshape\n"
        "from mindspore.nn.wrap.cell_wrapper import WithLossCell\n"
        "from mindspore.nn.loss.loss import LossBase\n"
        "import mindspore.ops.operations.math_ops as M\n"
        "print(Momentum.__module__, Dense.__module__, Reshape.__name__, M.MatMul.__name__)\n"
    )
    home = str(Path(ms.__file__).resolve().parents[1])
    environment = {**os.environ, "PYTHONPATH": home}
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment)
    assert done.stdout.split() == [nn.Momentum.__module__, nn.Dense.__module__, "Reshape", "MatMul"]


def test_paths_that_do_not_exist_stay_unknown() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"mindspore\.nn\.nothing"):
        import_module("mindspore.nn.nothing")
    assert ms.nn is nn
    assert ops.operations.Reshape is ops.Reshape


def test_names_of_operators_of_types() -> None:
    from mindspore.ops import operators_of_types

    path = "mindspore.ops.composite.multitype_ops"
    assert (
        import_module(f"{path}.zeros_like_impl").zeros_like
        is import_module(path).zeros_like
        is operators_of_types.zeros_like
    )
    assert import_module(f"{path}.pow_impl").pow_ is operators_of_types.pow_
