"""``ops.composite``: functions made from functions."""

from __future__ import annotations

from mindspore.common.gradients import GradOperation, grad, value_and_grad

__path__: list[str] = []
"""Further module paths begin with this one (`base.import_paths`)."""
__all__ = ["GradOperation", "grad", "value_and_grad"]
