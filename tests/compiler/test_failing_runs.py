"""What fails when a graph runs says where the user wrote it, from each back end, in loops and calls, and from the disk cache."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, nn, ops
from mindspore.common import api
from mindspore.compiler import recall
from tests.modes import Call
from tests.modes import fresh_context as fresh_context
from tests.modes import mode as mode


def read(x: Any, i: Any) -> Any:
    y = x * 2
    return y[i]  # fails


def gathered(x: Any, i: Any) -> Any:
    return ops.gather(x, i, 0)  # fails


def written(x: Any, i: Any) -> Any:
    y = x * 1
    y[i] = 5.0  # fails
    return y


def in_a_loop(x: Any, i: Any) -> Any:
    total, n = x[0], 0
    while n < i:
        total = total + x[n]  # fails
        n = n + 1
    return total


def in_a_branch(x: Any, i: Any) -> Any:
    if i > 3:
        return x[i]  # fails
    return x[0]


def _helper(x: Any, i: Any) -> Any:
    return x[i] * 2.0  # fails


def in_a_call(x: Any, i: Any) -> Any:
    return _helper(x, i) + 1.0  # calls


class Looked(nn.Cell):
    """A lookup in the library's own sources: the line of the user is what counts."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(3, 2)

    def construct(self, x: Any, i: Any) -> Any:
        return self.embedding(i) + x[0]  # fails


def _line(source: Any, mark: str) -> int:
    lines, start = inspect.getsourcelines(source)
    return start + next(k for k, text in enumerate(lines) if mark in text)


def _args() -> tuple[Tensor, Tensor]:
    return Tensor(np.ones((3, 2), np.float32)), Tensor(7)


PROGRAMS = [read, gathered, written, in_a_loop, in_a_branch, Looked]


@pytest.mark.parametrize("backend", ["cpu", "reference"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_an_index_out_of_bounds_names_file_line_column_and_source(program: Any, backend: str) -> None:
    run = ms.jit(program() if isinstance(program, type) else program, backend=backend)
    source = getattr(program, "construct", program)
    with pytest.raises(IndexError) as error:
        run(*_args())
    first, text, caret, message = str(error.value).splitlines()
    assert first.startswith(f'File "{__file__}", line {_line(source, "# fails")}, column ')
    written_there = inspect.getsource(source).splitlines()[_line(source, "# fails") - _line(source, "def ")]
    assert text == "    " + written_there.strip()
    assert caret.strip() == "^"
    column = int(first.partition("column ")[2].partition(",")[0])
    assert len(caret) - 4 == column - (len(written_there) - len(written_there.lstrip()))
    index = 3 if program is in_a_loop else 7
    assert message.rstrip(".") == f"index {index} is out of bounds for dimension with size 3"


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_the_chain_of_calls_is_shown(backend: str) -> None:
    with pytest.raises(IndexError) as error:
        ms.jit(in_a_call, backend=backend)(*_args())
    lines = str(error.value).splitlines()
    assert f"line {_line(_helper, '# fails')}" in lines[0]
    assert lines[3].startswith(f'called from File "{__file__}", line {_line(in_a_call, "# calls")}')
    assert lines[4].strip().startswith("return _helper(x, i)")


@pytest.mark.parametrize("backend", ["cpu", "reference"])
@pytest.mark.parametrize("program", [read, in_a_loop, in_a_call])
def test_gradients_point_to_the_program(program: Callable[..., Any], backend: str) -> None:
    source = _helper if program is in_a_call else program
    with pytest.raises(IndexError, match=f"line {_line(source, '# fails')}, column"):
        ms.jit(ms.value_and_grad(program), backend=backend)(*_args())


def test_each_of_several_places_is_told(mode: str) -> None:
    def net(x: Any, i: Any, j: Any) -> Any:
        first = x[i]  # one
        return first + x[:, j]  # two

    x = Tensor(np.ones((3, 3), np.float32))
    for i, j, mark in ((5, 0, "# one"), (0, -4, "# two"), (5, 9, "# one")):
        with pytest.raises(IndexError) as error:
            Call(net)(x, Tensor(i), Tensor(j))
        if mode == "graph":
            assert f"line {_line(net, mark)}, column" in str(error.value)
        else:
            places = [(e.path, e.lineno + 1) for e in error.traceback]
            assert (Path(__file__), _line(net, mark)) in places


def test_sizes_that_change_keep_the_place() -> None:
    run = ms.jit(read)
    for rows in (3, 4, 5):
        x = Tensor(np.ones((rows, 2), np.float32))
        assert run(x, Tensor(rows - 1)).asnumpy().tolist() == [2.0, 2.0]
        with pytest.raises(IndexError, match=rf"(?s)line {_line(read, '# fails')}, .*index {rows} is out of bounds"):
            run(x, Tensor(rows))


def test_programs_from_the_disk_cache_tell_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(recall.SWITCH, raising=False)
    monkeypatch.delenv("MS_DEV_DEBUG", raising=False)
    real, made = api._compile, 0

    def counted(*args: Any) -> Any:
        nonlocal made
        made += 1
        return real(*args)

    monkeypatch.setattr(api, "_compile", counted)
    told = []
    for _ in range(2):
        with pytest.raises(IndexError, match=f"line {_line(gathered, '# fails')}, column") as error:
            api.compile_now(gathered, _args(), {}).run(_args(), {})
        told.append(str(error.value))
    assert made == 1
    assert told[0] == told[1]


def test_an_index_error_of_the_program_itself_stays_as_it_is() -> None:
    @ms.jit
    def net(x: Any, i: Any) -> Any:
        if i > 5:
            raise IndexError("mine")
        return x[i]

    with pytest.raises(IndexError, match=r"mine$"):
        net(*_args())
