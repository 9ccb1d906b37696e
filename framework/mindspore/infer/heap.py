"""Mutable state during inference: layers of writes, so that the arms of a run-time branch see and leave their own."""

from __future__ import annotations

from typing import Any

from mindspore.infer.values import Unread

Key = Any
Layer = dict[Key, Any]
_ABSENT = object()


class Heap:
    """Contents of lists, dicts, boxes and slots. A layer holds what was written since it was pushed.

    Each write is noted, so that an evaluation that is given up leaves nothing behind.
    """

    __slots__ = ("layers", "notes")

    def __init__(self) -> None:
        self.layers: list[Layer] = [{}]
        self.notes: list[tuple[Layer, Key, Any]] = []

    def get(self, key: Key) -> Any:
        """The newest content of `key`; KeyError when it was never written."""
        for layer in reversed(self.layers):
            if key in layer:
                found = layer[key]
                if isinstance(found, Unread):
                    found = layer[key] = found.look_up()
                return found
        raise KeyError(key)

    def __contains__(self, key: Key) -> bool:
        return any(key in layer for layer in self.layers)

    def set(self, key: Key, value: Any) -> None:
        layer = self.layers[-1]
        self.notes.append((layer, key, layer.get(key, _ABSENT)))
        layer[key] = value

    def push(self, layer: Layer | None = None) -> None:
        self.layers.append({} if layer is None else layer)

    def pop(self) -> Layer:
        """Removes the newest layer and forgets its writes."""
        return self.layers.pop()

    def merge(self, layer: Layer) -> None:
        """Writes of a popped `layer` become writes of the newest one."""
        for key, value in layer.items():
            self.set(key, value)

    def moment(self) -> tuple[int, int]:
        """What `back_to` takes."""
        return len(self.layers), len(self.notes)

    def back_to(self, moment: tuple[int, int]) -> None:
        """Undoes every write since then, and removes the layers pushed since."""
        layers, notes = moment
        del self.layers[layers:]
        while len(self.notes) > notes:
            layer, key, before = self.notes.pop()
            if before is _ABSENT:
                layer.pop(key, None)
            else:
                layer[key] = before
