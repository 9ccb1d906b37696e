"""Random programs give the same numbers through inference as through Python."""

from __future__ import annotations

import numpy as np
import pytest

from tests.infer.fakes import check, i, t
from tests.infer.programs import Program

ARGUMENTS = ((1.0, -0.5, 2), (-2.0, 3.0, 0), (0.25, 0.75, 3))


@pytest.mark.parametrize("batch", range(8))
def test_random_programs(batch: int) -> None:
    for seed in range(batch * 8, batch * 8 + 8):
        program = Program(seed)
        function = program.function()
        for x, y, n in ARGUMENTS:
            with np.errstate(all="ignore"):
                assert len(check(function, t(x), t(y), i(n))) == 3, program.source
