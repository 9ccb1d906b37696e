"""Truth functions. Numbers other than zero are true."""

from __future__ import annotations

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.primitives.declare import DISCRETE, EVERY_REAL, logical, truth, unary

logical("LogicalAnd", "logical_and", np.logical_and)
logical("LogicalOr", "logical_or", np.logical_or)
logical("LogicalXor", "logical_xor", np.logical_xor)
unary(
    "LogicalNot", lambda s, x: s.logical_not(truth(s, x)), np.logical_not, DISCRETE, dtypes=EVERY_REAL, result=dt.bool_
)
