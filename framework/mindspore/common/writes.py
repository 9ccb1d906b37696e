"""Changes of a tensor's elements in place, noted on the tape so that gradients which need the old values are refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mindspore import _native


@dataclass(frozen=True, slots=True)
class Write:
    """Stands in the place of an operator on the tape: the elements of a tensor changed by ``what``."""

    what: str


def record_write(what: str, target: Any, value: Any) -> None:
    """Notes, if a tape is set, that the elements of `target` change to `value`."""
    tape = _native.get_tape()
    if tape is not None:
        tape.append((Write(what), (target, value), None))
