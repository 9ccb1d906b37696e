"""Mutable state during inference: layers of writes, so that the arms of a run-time branch see and leave their own."""

from __future__ import annotations

from typing import Any

Key = Any
Layer = dict[Key, Any]


class Heap:
    """Contents of lists, dicts, boxes and slots. A layer holds what was written since it was pushed."""

    __slots__ = ("layers",)

    def __init__(self) -> None:
        self.layers: list[Layer] = [{}]

    def get(self, key: Key) -> Any:
        """The newest content of `key`; KeyError when it was never written."""
        for layer in reversed(self.layers):
            if key in layer:
                return layer[key]
        raise KeyError(key)

    def __contains__(self, key: Key) -> bool:
        return any(key in layer for layer in self.layers)

    def set(self, key: Key, value: Any) -> None:
        self.layers[-1][key] = value

    def push(self, layer: Layer | None = None) -> None:
        self.layers.append({} if layer is None else layer)

    def pop(self) -> Layer:
        """Removes the newest layer and forgets its writes."""
        return self.layers.pop()

    def merge(self, layer: Layer) -> None:
        """Writes of a popped `layer` become writes of the newest one."""
        self.layers[-1].update(layer)
