"""Comparisons of two broadcast tensors."""

from __future__ import annotations

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.primitives.declare import compare

compare("Equal", "eq", np.equal, dt.ALL)
compare("NotEqual", "ne", np.not_equal, dt.ALL)
compare("Less", "lt", np.less)
compare("LessEqual", "le", np.less_equal)
compare("Greater", "gt", np.greater)
compare("GreaterEqual", "ge", np.greater_equal)
