"""What stands in results and in paths to arguments for tensors and objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mindspore.base.dtypes import DType


@dataclass(frozen=True, slots=True)
class Output:
    """Stands in a result for the graph's output with this index."""

    index: int


@dataclass(frozen=True, slots=True)
class Record:
    """Stands in a result for an object of the dataclass `cls` with these attributes."""

    cls: type
    attributes: dict[str, Any]


class Field(str):
    """A step of a path to an argument: the attribute of this name."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class AsTensor:
    """The last step of a path to a number that is an input: a 0-d tensor of this type."""

    dtype: DType
