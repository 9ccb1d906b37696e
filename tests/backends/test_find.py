"""Back ends are found by name."""

from __future__ import annotations

import pytest

from mindspore import backends


def test_every_folder_is_a_back_end() -> None:
    assert {"cpu", "reference"} <= set(backends.names())
    for name in backends.names():
        assert callable(backends.find(name).compile)


def test_an_unknown_name_lists_those_that_exist() -> None:
    with pytest.raises(ValueError, match=r"no back end 'tpu': expected one of 'cpu', .*'reference'"):
        backends.find("tpu")
