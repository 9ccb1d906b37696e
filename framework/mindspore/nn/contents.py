"""What a Cell holds, as a whole: functions for all Cells below it, and its Parameters by name."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from mindspore.common.parameter import Parameter
from mindspore.common.tensor import Tensor

if TYPE_CHECKING:
    from mindspore.nn.cell import Cell


class IncompatibleKeys(NamedTuple):
    """Names that `load_state_dict` did not find, and those that the Cell does not have."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Contents:
    """What `nn.Cell` knows about what it holds."""

    cells: Callable[[], Iterator[Cell]]
    get_parameters: Callable[[], Iterator[Parameter]]
    parameters_and_names: Callable[[], Iterator[tuple[str, Parameter]]]

    def apply(self, fn: Callable[[Cell], Any]) -> Self:
        """Calls `fn` with each Cell below this one, and then with this one.

        Examples:
            >>> from mindspore import nn
            >>> net = nn.SequentialCell(nn.Dense(2, 2), nn.ReLU())
            >>> _ = net.apply(lambda cell: print(type(cell).__name__))
            Dense
            ReLU
            SequentialCell
        """
        for each in self.cells():
            each.apply(fn)
        fn(self)  # type: ignore[arg-type]
        return self

    def init_parameters_data(self, auto_parallel_mode: bool = False) -> dict[Parameter, Parameter]:
        """Each Parameter with itself: they have their values from the beginning.

        Args:
            auto_parallel_mode: must be False: there is one device.

        Raises:
            ValueError: `auto_parallel_mode` is true.
        """
        if auto_parallel_mode:
            raise ValueError("For 'init_parameters_data', 'auto_parallel_mode' must be False: there is one device.")
        return {p: p for p in self.get_parameters()}

    def state_dict(
        self, *, destination: OrderedDict[str, Any] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> OrderedDict[str, Any]:
        """Parameters by the path of attributes that leads to them.

        Args:
            destination: the dict that takes them; a new one when None.
            prefix: in front of each name.
            keep_vars: the Parameters themselves; otherwise tensors that share their memory.

        Examples:
            >>> from mindspore import nn
            >>> list(nn.SequentialCell(nn.Dense(2, 2)).state_dict())
            ['0.weight', '0.bias']
        """
        found: OrderedDict[str, Any] = OrderedDict() if destination is None else destination
        for path, parameter in self.parameters_and_names():
            found[prefix + path] = parameter if keep_vars else parameter.value()
        return found

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Gives Parameters the values that `state_dict` has under their paths, as `state_dict` names them.

        Args:
            state_dict: tensors by name.
            strict: whether every Parameter must be among the names, and every name be one of a Parameter.

        Returns:
            The names that were missing, and those that were not expected.

        Raises:
            TypeError: `state_dict` is no mapping, or holds something that is no tensor.
            RuntimeError: a name is missing or not expected and `strict` is true, or a shape differs. Nothing has changed then.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(
                f"For 'load_state_dict', 'state_dict' must be a dict of tensors, but got {type(state_dict).__name__}."
            )
        own = dict(self.parameters_and_names())
        missing = [name for name in own if name not in state_dict]
        unexpected = [name for name in state_dict if name not in own]
        problems = []
        if strict and missing:
            problems.append(f"Missing key(s) in state_dict: {', '.join(map(repr, missing))}.")
        if strict and unexpected:
            problems.append(f"Unexpected key(s) in state_dict: {', '.join(map(repr, unexpected))}.")
        given = {name: value for name, value in state_dict.items() if name in own}
        for name, value in given.items():
            if not isinstance(value, Tensor):
                raise TypeError(
                    f"For 'load_state_dict', {name!r} must be a Tensor, but got {type(value).__name__}: convert it with mindspore.Tensor."
                )
            if value.shape != own[name].shape:
                problems.append(f"size mismatch for {name}: expected {own[name].shape}, but got {value.shape}.")
        if problems:
            raise RuntimeError("\n  ".join([f"Error(s) in loading state_dict for {type(self).__name__}:", *problems]))
        for name, value in given.items():
            own[name].set_data(value.astype(own[name].dtype))
        return IncompatibleKeys(missing, unexpected)
