"""Steps of the paths from the arguments of a call to its tensors."""

from __future__ import annotations

from dataclasses import dataclass

from mindspore.base.dtypes import DType


class Field(str):
    """A step of a path to an argument: the attribute of this name."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class AsTensor:
    """The last step of a path to a number that is an input: a 0-d tensor of this type."""

    dtype: DType
