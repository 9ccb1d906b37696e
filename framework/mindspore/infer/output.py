"""What stands in a result for its tensors."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Output:
    """Stands in a result for the graph's output with this index."""

    index: int
