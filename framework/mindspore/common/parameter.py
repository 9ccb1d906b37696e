"""``Parameter``: a tensor that a Cell owns, with a name and a flag for training."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any

from mindspore.base import dtypes as dt
from mindspore.common.methods import Tensor

__all__ = ["Parameter", "ParameterTuple"]

_unnamed = count()


class Parameter(Tensor):
    """A tensor that is updated in place.

    Args:
        default_input: the first value: a Tensor, numpy array, number or nested list; it is copied. A Python int gives int32.
        name: shown in errors and used in checkpoints; a Cell gives unnamed ones the name of its attribute.
        requires_grad: whether training changes it.

    Raises:
        TypeError: `name` is not a str, `requires_grad` not a bool, or `default_input` no tensor.

    Examples:
        >>> from mindspore import Parameter, Tensor
        >>> Parameter(Tensor([1.0, 2.0]), name="w")
        Parameter (name=w, shape=(2,), dtype=Float32, requires_grad=True)
    """

    __slots__ = ("_name", "_named", "_requires_grad")

    __is_parameter__ = True

    def __init__(self, default_input: Any, name: str | None = None, requires_grad: bool = True) -> None:
        if isinstance(default_input, int) and not isinstance(default_input, bool):
            super().__init__(default_input, dt.int32)
        else:
            super().__init__(default_input)
        self._named = name is not None
        self._name = f"Parameter#{next(_unnamed)}"
        if name is not None:
            self.name = name
        self.requires_grad = requires_grad

    @property
    def name(self) -> str:
        """Its name; setting it to None is refused."""
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"For 'Parameter', the 'name' must be a str, but got {type(name)}.")
        if not name:
            raise ValueError("For 'Parameter', the 'name' must not be empty.")
        self._name, self._named = name, True

    @property
    def requires_grad(self) -> bool:
        """Whether training changes it."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise TypeError(f"The argument `requires_grad` must be bool type, but got {type(value)}.")
        self._requires_grad = value

    @property
    def data(self) -> Tensor:
        """The values as a tensor that shares its memory."""
        return self.value()

    def value(self) -> Tensor:
        """The values as a tensor that shares its memory."""
        return self.reshape(self.shape)  # type: ignore[no-any-return]

    def set_data(self, data: Any, slice_shape: bool = False) -> Parameter:
        """Replaces the values; they are converted to the parameter's element type.

        Args:
            data: a Tensor or number of the same shape.
            slice_shape: whether `data` may have another shape, which the parameter then takes.

        Raises:
            TypeError: `data` is no tensor or number, or its element type does not convert to the parameter's without loss.
            ValueError: the shapes differ.
        """
        if not isinstance(data, Tensor | int | float):
            raise TypeError(f"Parameter data must be [`Tensor`, `int`, `float`], but with type {type(data)}.")
        given = Tensor(data, self.dtype) if not isinstance(data, Tensor) else self._converted(data)
        if given.shape == self.shape:
            self.assign_from(given)
        elif slice_shape:
            self.set_storage(given.copy())
        else:
            raise ValueError(
                f"Can not change the shape of Parameter {self.name}: expected {self.shape}, but got {given.shape}; "
                "pass slice_shape=True when the parameter should take the new shape."
            )
        return self

    def _converted(self, data: Tensor) -> Tensor:
        order = "biufc"
        if order.index(data.dtype.kind) > max(order.index(self.dtype.kind), order.index("u")):
            raise TypeError(
                f"Can not set data of type {data.dtype} to Parameter {self.name} of type {self.dtype}: convert it with astype first."
            )
        return data if data.dtype is self.dtype else Tensor(data, self.dtype)

    def clone(self, init: Any = "same") -> Parameter:
        """A new Parameter with the same name, shape and type.

        Args:
            init: "same" copies the values; an initializer's name, an `Initializer`, a number or Tensor gives others.
        """
        if isinstance(init, str) and init == "same":
            value: Tensor = self
        else:
            from mindspore.common.initializer import initializer

            value = initializer(init, self.shape, self.dtype)
        made = Parameter(value, self._name, self._requires_grad)
        made._named = self._named
        return made

    def __repr__(self) -> str:
        return f"Parameter (name={self._name}, shape={self.shape}, dtype={self.dtype}, requires_grad={self._requires_grad})"

    __str__ = __repr__

    def __reduce__(self) -> tuple[Any, ...]:
        return Parameter, (Tensor(self), self._name, self._requires_grad)

    def __copy__(self) -> Parameter:
        return self.clone()

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        memo[id(self)] = made = self.clone()
        return made


class ParameterTuple(tuple[Parameter, ...]):
    """A tuple of Parameters.

    Raises:
        TypeError: an element is not a Parameter.
        RuntimeError: two of them have the same name.
    """

    __slots__ = ()

    def __new__(cls, iterable: Iterable[Parameter]) -> ParameterTuple:
        parameters = tuple(iterable)
        for each in parameters:
            if not isinstance(each, Parameter):
                raise TypeError(
                    f"For ParameterTuple initialization, ParameterTuple input should be 'Parameter' collection, but got {each!r}."
                )
        names = [p.name for p in parameters]
        repeated = next((n for n in names if names.count(n) > 1), None) if len(set(names)) != len(names) else None
        if repeated is not None and len({id(p) for p in parameters}) == len(parameters):
            raise RuntimeError(f"The value {repeated!r} is the name of two Parameters; give each its own name.")
        return super().__new__(cls, parameters)

    def clone(self, prefix: str, init: Any = "same") -> ParameterTuple:
        """Copies of all of them, named ``prefix.name``."""
        copies = [p.clone(init) for p in self]
        for each in copies:
            each.name = f"{prefix}.{each.name}"
        return ParameterTuple(copies)
