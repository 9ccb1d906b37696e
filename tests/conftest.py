"""Settings of all tests."""

from __future__ import annotations

import os

from mindspore.compiler import recall

os.environ[recall.SWITCH] = "0"
"""Tests see compilations happen: what an earlier run of the tests kept on disk would take their place."""
