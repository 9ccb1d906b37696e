"""``nn.Cell``: a function with Parameters. Its attributes are plain entries of ``__dict__``, which compiled graphs guard natively."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from mindspore import _native
from mindspore.base.protocols import COMPUTE_TYPE, RECOMPUTE, BackwardHooks
from mindspore.common.api import COMPILED_CALL, CompileCache, runs_compiled
from mindspore.common.custom import by_position, check_recompute, recomputed, with_bprop, with_hooks
from mindspore.common.dynamic import declared
from mindspore.common.parameter import Parameter, ParameterTuple
from mindspore.common.state import assign
from mindspore.common.tensor import Tensor
from mindspore.nn.computing import ConvertedCalls, in_its_type, is_held, stand_ins
from mindspore.nn.contents import Contents

__all__ = ["Cell"]


class Cell(ConvertedCalls, Contents):
    """Base of all networks and layers: subclasses make sub-cells and Parameters in ``__init__`` and compute in ``construct``.

    Args:
        auto_prefix: whether Parameters of this Cell are renamed after the attribute through which another Cell holds it.

    In GRAPH_MODE a call compiles ``construct`` for the types of its arguments, once, and then runs one native function; in
    PYNATIVE_MODE it runs ``construct`` as Python.

    Examples:
        >>> import mindspore.nn as nn
        >>> from mindspore import Tensor
        >>> class Twice(nn.Cell):
        ...     def construct(self, x):
        ...         return x + x
        >>> print(Twice()(Tensor([1.0, 2.0])))
        [2. 4.]
    """

    training: bool

    def __init__(self, auto_prefix: bool = True) -> None:
        own = self.__dict__
        own["_auto_prefix"] = auto_prefix
        own["training"] = False
        own["requires_grad"] = False
        own["param_prefix"] = ""
        self._start_hooks()
        own["bprop_debug"] = False
        own[COMPILED_CALL] = CompileCache()

    def construct(self, *args: Any, **kwargs: Any) -> Any:
        """What the Cell computes; every subclass defines it."""
        raise AttributeError(f"For 'Cell', the method 'construct' is not defined in {type(self).__name__}.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if runs_compiled(self):
            return self._compiled.run(self, args, kwargs)
        if (kind := self.__dict__.get(COMPUTE_TYPE)) is not None:
            with stand_ins(self, kind):
                return self._run(args, kwargs)
        return self._run(args, kwargs)

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        function = self.__graph_function__()
        if _native.get_tape() is not None and (rule := self.__graph_gradient__()) is not None:
            if rule is RECOMPUTE:
                return recomputed(in_its_type(self, function), args, kwargs)
            if isinstance(rule, BackwardHooks):
                return with_hooks(function, rule, args, kwargs)
            return with_bprop(function, rule, by_position(self.construct, args, kwargs))
        return function(*args, **kwargs)

    def recompute(
        self,
        *,
        use_reentrant: bool = True,
        output_recompute: bool = False,
        early_stop: bool = True,
        context_fn: Any = None,
        **kwargs: Any,
    ) -> None:
        """Makes gradients compute this Cell's ``construct`` once more instead of keeping what it computed, which saves memory.

        Args:
            use_reentrant, output_recompute, early_stop: kept for MindSpore's signature; every intermediate value is computed again.
            context_fn: must be None.
            kwargs: settings of parallel training that mean nothing here: ``mp_comm_recompute`` and
                ``parallel_optimizer_comm_recompute``.

        Raises:
            TypeError: another keyword.
            ValueError: `context_fn` is not None.
        """
        check_recompute(context_fn, kwargs)
        self.__dict__["_recompute"] = True
        self._restyled()

    def __made_in_graph__(self) -> None:
        """Refuses a Cell with Parameters: each compilation would start them anew."""
        found = next(self.get_parameters(), None)
        if found is not None:
            raise TypeError(
                f"{type(self).__name__} has Parameters ({found.name}, ...) and cannot be made in a graph, where each compilation would "
                "start them anew. Make it in __init__ and call it here."
            )

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if isinstance(value, Cell | Parameter | ParameterTuple):
            if COMPILED_CALL not in own:
                raise AttributeError(
                    f"For 'Cell', {type(self).__name__}.__init__ must call super().__init__() before it assigns {name!r}."
                )
            self._adopt(name, value)
        elif value is not None and is_held(own.get(name)):
            if not isinstance(value, Tensor):
                raise TypeError(
                    f"For 'Cell', the attribute {name!r} is a Parameter: expected a Parameter, a Tensor with new values, or None, "
                    f"but got {type(value).__name__}."
                )
            assign(own[name], value)
            return
        elif isinstance(own.get(name), Cell) and value is not None:
            raise TypeError(
                f"For 'Cell', the attribute {name!r} is a sub-cell: expected a Cell or None, but got {type(value).__name__}."
            )
        super().__setattr__(name, value)

    def _adopt(self, name: str, value: Cell | Parameter | ParameterTuple) -> None:
        if isinstance(value, Cell):
            value.__dict__["param_prefix"] = name
            if own_prefix(self):
                value.update_parameters_name(name + ".")
        elif isinstance(value, Parameter) and not value._named:
            value.name = name

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"The '{type(self).__name__}' object has no attribute '{name}'.")

    # Structure

    def name_cells(self) -> OrderedDict[str, Cell]:
        """Direct sub-cells by attribute name."""
        return OrderedDict((n, c) for n, c in self.__dict__.items() if isinstance(c, Cell))

    def cells(self) -> Iterator[Cell]:
        """Direct sub-cells."""
        return iter(self.name_cells().values())

    def cells_and_names(self, cells: set[Cell] | None = None, name_prefix: str = "") -> Iterator[tuple[str, Cell]]:
        """This Cell and all below it, each once and not those in `cells`, with the path of attributes that leads there."""
        seen: set[int] = set(map(id, cells or ()))
        stack = [(name_prefix, self)]
        while stack:
            path, cell = stack.pop()
            if id(cell) in seen:
                continue
            seen.add(id(cell))
            yield path, cell
            below = [(f"{path}.{n}" if path else n, c) for n, c in cell.name_cells().items()]
            stack.extend(reversed(below))

    def insert_child_to_cell(self, child_name: str, child_cell: Cell) -> None:
        """Adds a sub-cell under a name that is not taken."""
        if not isinstance(child_cell, Cell):
            raise TypeError(f"For 'insert_child_to_cell', the 'child_cell' must be a Cell, but got {type(child_cell)}.")
        if child_name in self.__dict__:
            raise KeyError(f"For 'insert_child_to_cell', the name {child_name!r} is taken.")
        setattr(self, child_name, child_cell)

    def insert_param_to_cell(self, param_name: str, param: Parameter) -> None:
        """Adds a Parameter under a name that is not taken."""
        if not isinstance(param, Parameter):
            raise TypeError(f"For 'insert_param_to_cell', the 'param' must be a Parameter, but got {type(param)}.")
        if param_name in self.__dict__:
            raise KeyError(f"For 'insert_param_to_cell', the name {param_name!r} is taken.")
        setattr(self, param_name, param)

    # Parameters

    def parameters_and_names(self, name_prefix: str = "", expand: bool = True) -> Iterator[tuple[str, Parameter]]:
        """Parameters, each once, with their path; `expand` goes into sub-cells."""
        seen: set[int] = set()
        cells = self.cells_and_names(name_prefix=name_prefix) if expand else iter([(name_prefix, self)])
        for path, cell in cells:
            for name, parameter in cell._own_parameters():
                if id(parameter) not in seen:
                    seen.add(id(parameter))
                    yield f"{path}.{name}" if path else name, parameter

    def _own_parameters(self) -> Iterator[tuple[str, Parameter]]:
        for name, value in self.__dict__.items():
            if isinstance(value, Parameter):
                yield name, value
            elif isinstance(value, ParameterTuple):
                yield from ((p.name, p) for p in value)

    def get_parameters(self, expand: bool = True) -> Iterator[Parameter]:
        """Parameters of this Cell and, with `expand`, of those below it."""
        return (p for _, p in self.parameters_and_names(expand=expand))

    def trainable_params(self, recurse: bool = True) -> list[Parameter]:
        """Parameters with ``requires_grad``."""
        return [p for p in self.get_parameters(recurse) if p.requires_grad]

    def untrainable_params(self, recurse: bool = True) -> list[Parameter]:
        """Parameters without ``requires_grad``."""
        return [p for p in self.get_parameters(recurse) if not p.requires_grad]

    def parameters_dict(self, recurse: bool = True) -> OrderedDict[str, Parameter]:
        """Parameters by their own names."""
        return OrderedDict((p.name, p) for p in self.get_parameters(recurse))

    def update_parameters_name(self, prefix: str = "", recurse: bool = True) -> None:
        """Names every Parameter `prefix` and its path below this Cell."""
        for path, parameter in self.parameters_and_names(expand=recurse):
            parameter.name = prefix + path

    # Modes

    def set_train(self, mode: bool = True) -> Cell:
        """Switches this Cell and those below it to training, or to inference with ``False``."""
        for _, cell in self.cells_and_names():
            cell.__dict__["training"] = bool(mode)
        return self

    def set_grad(self, requires_grad: bool = True) -> Cell:
        """Marks the Cell as one to be differentiated; gradients are taken wherever `grad` asks for them."""
        self.__dict__["requires_grad"] = bool(requires_grad)
        return self

    def set_inputs(self, *inputs: Any, **kwargs: Any) -> None:
        """Declares the inputs of ``construct``: calls in GRAPH_MODE must fit them, and are compiled once for all sizes they allow.

        Args:
            inputs: one for each input: a Tensor, in which None stands for a size that may change
                (``Tensor(shape=[None, 3], dtype=mindspore.float32)``), a tuple or list of such, or a value of the type of the input.
            kwargs: the same for some inputs only, by their names.

        Raises:
            ValueError: both are given or neither, or a name is not an input; in a call, the number of inputs or a shape differs.
            TypeError: in a call, the type of an input differs.

        Examples:
            >>> import mindspore as ms
            >>> from mindspore import Tensor, nn
            >>> net = nn.ReLU()
            >>> net.set_inputs(Tensor(shape=[3, None], dtype=ms.float32))
        """
        self._compiled.declare(declared("set_inputs", self.construct, inputs, kwargs))

    def get_inputs(self) -> Any:
        """The declared inputs: a tuple, a dict of those that were named, or None without `set_inputs`."""
        inputs = self._compiled.inputs
        return None if inputs is None else inputs.positional or dict(inputs.named)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compiles for the types of these arguments without running."""
        self._compiled.compiled(self, args, kwargs)

    # Text and copies

    @property
    def cls_name(self) -> str:
        """Name of the class."""
        return type(self).__name__

    def extend_repr(self) -> str:
        """What ``repr`` shows in the brackets behind the class's name."""
        return ""

    def __repr__(self) -> str:
        children = self.name_cells()
        extra = self.extend_repr()
        if not children:
            return f"{type(self).__name__}({extra})"
        lines = [f"({name}): {_indented(repr(child))}" for name, child in children.items()]
        return "\n  ".join([f"{type(self).__name__}(", *([extra] if extra else []), *lines]) + "\n)"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if not name.startswith(COMPILED_CALL)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__dict__[COMPILED_CALL] = CompileCache()


def own_prefix(cell: Cell) -> bool:
    """Whether `cell` renames the Parameters below it."""
    return bool(cell.__dict__["_auto_prefix"])


def _indented(text: str) -> str:
    return text.replace("\n", "\n  ")
