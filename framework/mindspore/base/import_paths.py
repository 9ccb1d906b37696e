"""Module paths under which MindSpore's users import names that live elsewhere here: ``from mindspore.nn.optim import Momentum``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_MULTITYPE = (
    "add", "bitwise_and", "bitwise_or", "bitwise_xor", "div", "equal", "floordiv", "getitem", "greater", "greater_equal", "in",
    "invert", "left_shift", "less", "less_equal", "logical_and", "logical_not", "logical_or", "mod", "mul", "negative", "not_equal",
    "not_in", "ones_like", "pow", "right_shift", "setitem", "sub", "uadd", "zeros_like",
)  # fmt: skip
PATHS: Mapping[str, str] = {
    "mindspore.common._decorator": "mindspore.common.api",
    "mindspore.common.sparse_tensor": "mindspore.common.row_tensor",
    "mindspore.log": "mindspore.base.log",
    "mindspore.nn.grad": "mindspore.nn",
    "mindspore.nn.grad.cell_grad": "mindspore.nn",
    "mindspore.nn.layer": "mindspore.nn",
    "mindspore.nn.layer.activation": "mindspore.nn",
    "mindspore.nn.layer.basic": "mindspore.nn",
    "mindspore.nn.layer.container": "mindspore.nn",
    "mindspore.nn.layer.conv": "mindspore.nn",
    "mindspore.nn.layer.embedding": "mindspore.nn",
    "mindspore.nn.layer.normalization": "mindspore.nn",
    "mindspore.nn.layer.pooling": "mindspore.nn",
    "mindspore.nn.loss.loss": "mindspore.nn.loss",
    "mindspore.nn.optim": "mindspore.nn",
    "mindspore.nn.optim.ada_grad": "mindspore.nn",
    "mindspore.nn.optim.adadelta": "mindspore.nn",
    "mindspore.nn.optim.adam": "mindspore.nn",
    "mindspore.nn.optim.adamax": "mindspore.nn",
    "mindspore.nn.optim.asgd": "mindspore.nn",
    "mindspore.nn.optim.ftrl": "mindspore.nn",
    "mindspore.nn.optim.lamb": "mindspore.nn",
    "mindspore.nn.optim.lars": "mindspore.nn",
    "mindspore.nn.optim.lazyadam": "mindspore.nn",
    "mindspore.nn.optim.momentum": "mindspore.nn",
    "mindspore.nn.optim.optimizer": "mindspore.nn",
    "mindspore.nn.optim.proximal_ada_grad": "mindspore.nn",
    "mindspore.nn.optim.rmsprop": "mindspore.nn",
    "mindspore.nn.optim.rprop": "mindspore.nn",
    "mindspore.nn.optim.sgd": "mindspore.nn",
    "mindspore.nn.wrap.cell_wrapper": "mindspore.nn.wrap",
    "mindspore.ops.composite.array_ops": "mindspore.ops.composite",
    "mindspore.ops.composite.base": "mindspore.ops.composite",
    "mindspore.ops.composite.clip_ops": "mindspore.ops.composite",
    "mindspore.ops.composite.math_ops": "mindspore.ops.composite",
    "mindspore.ops.composite.multitype_ops": "mindspore.ops.operators_of_types",
    **{f"mindspore.ops.composite.multitype_ops.{name}_impl": "mindspore.ops.operators_of_types" for name in _MULTITYPE},
    "mindspore.ops.composite.random_ops": "mindspore.ops.composite",
    "mindspore.ops.function": "mindspore.ops.functional",
    "mindspore.ops.function.array_func": "mindspore.ops.functional",
    "mindspore.ops.function.grad": "mindspore.ops.functional",
    "mindspore.ops.function.grad.grad_func": "mindspore.ops.functional",
    "mindspore.ops.function.math_func": "mindspore.ops.functional",
    "mindspore.ops.function.nn_func": "mindspore.ops.functional",
    "mindspore.ops.operations._grad_ops": "mindspore.ops.gradient_operators",
    "mindspore.ops.operations._inner_ops": "mindspore.ops.operations",
    "mindspore.ops.operations.array_ops": "mindspore.ops.operations",
    "mindspore.ops.operations.control_ops": "mindspore.ops.operations",
    "mindspore.ops.operations.debug_ops": "mindspore.ops.operations",
    "mindspore.ops.operations.inner_ops": "mindspore.ops.operations",
    "mindspore.ops.operations.math_ops": "mindspore.ops.operations",
    "mindspore.ops.operations.nn_ops": "mindspore.ops.operations",
    "mindspore.ops.operations.other_ops": "mindspore.ops.operations",
    "mindspore.ops.operations.random_ops": "mindspore.ops.operations",
}
"""MindSpore's path -> the module whose names it offers."""


class _Offered(ModuleType):
    """A module whose names are those of another one."""

    def __init__(self, name: str, home: str) -> None:
        super().__init__(name, f"The names of `{home}` under MindSpore's path.")
        self.__dict__["__path__"] = []
        self.__dict__["_home"] = home

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(import_module(self.__dict__["_home"]), name)
        except AttributeError:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}.") from None

    def __dir__(self) -> list[str]:
        return dir(import_module(self.__dict__["_home"]))


class _Paths(MetaPathFinder, Loader):
    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        return ModuleSpec(name, self, is_package=True) if name in PATHS else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Offered(spec.name, PATHS[spec.name])

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to run."""


def install() -> None:
    """Lets the import system find these paths, behind the modules that exist."""
    if not any(isinstance(finder, _Paths) for finder in sys.meta_path):
        sys.meta_path.append(_Paths())
