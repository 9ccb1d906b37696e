"""Compilations of earlier processes: used when everything is as it was, and never when something differs."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mindspore import Tensor
from mindspore.common import api
from mindspore.compiler import identity, recall
from mindspore.context import SETTINGS
from mindspore.kernels import diskcache

HEAD = """
import collections, functools, threading
import numpy as np
import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops
import recall_helpers
"""
HELPERS = """
SCALE = 2.0
def helped(x):
    return x * 5.0
"""
NAMES = ("recall_helpers", "recall_program")


class Lab:
    """Programs in files, imported anew each time as another process would, and how often they are compiled."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.made = 0
        real = api._compile

        def counting(*args: Any) -> Any:
            self.made += 1
            return real(*args)

        monkeypatch.setattr(api, "_compile", counting)

    def imported(self, name: str, text: str) -> Any:
        path = self.folder / f"{name}.py"
        path.write_text(text)
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        exec(compile(text, str(path), "exec"), module.__dict__)
        return module

    def run(self, program: str, *args: Any, helpers: str = HELPERS, **kwargs: Any) -> tuple[Any, bool]:
        """The result of ``made()(*args)`` in a fresh import, and whether it was compiled."""
        self.imported("recall_helpers", helpers)
        function = self.imported("recall_program", HEAD + program).made()
        before = self.made
        result = api.compile_now(function, args, kwargs).run(args, kwargs)
        return result, self.made > before


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(recall.SWITCH, raising=False)
    monkeypatch.delenv("MS_DEV_DEBUG", raising=False)
    yield Lab(tmp_path, monkeypatch)
    for name in NAMES:
        sys.modules.pop(name, None)


def x() -> Tensor:
    return Tensor(np.array([1.0, 2.0, 3.0], np.float32))


CELL = """
class Net(nn.Cell):
    kind = 1.0
    def __init__(self):
        super().__init__()
        self.scale = 2.0
        self.sizes = [1.0, 2.0]
        self.table = {"a": 1.0}
        self.weight = Parameter(Tensor(np.ones(3, np.float32)), name="weight")
        self.array = np.array([1.0, 1.0, 1.0], np.float32)
        self.fixed = Tensor(np.ones(3, np.float32))
    def construct(self, x):
        y = x * self.scale + self.sizes[1] * self.table["a"] + self.weight * self.kind + Tensor(self.array) + self.fixed
        return y + 100.0 if self.training else y
def made():
    return Net()
"""
GLOBAL = """
FACTOR = 2.0
def net(x):
    return x * FACTOR
def made():
    return net
"""
CLOSURE = """
def maker(factor):
    def net(x):
        return x * factor
    return net
def made():
    return maker(2.0)
"""
OTHER_MODULE = """
def net(x):
    return recall_helpers.helped(x) + recall_helpers.SCALE
def made():
    return net
"""
IMPORTED = """
from recall_helpers import helped
class Base(nn.Cell):
    def step(self, x):
        return helped(x)
class Net(Base):
    def construct(self, x):
        return self.step(x)
def made():
    return Net()
"""
DEFAULTS = """
def net(x, factor=2.0, *, shift=1.0):
    return x * factor + shift
def made():
    return functools.partial(net, factor=3.0)
"""
OBJECTS = """
LIMIT = 3
class Settings:
    def __init__(self):
        self.depth = 2
    @property
    def double(self):
        return self.depth * 2
    def __eq__(self, other):
        return other == LIMIT
SETTINGS = Settings()
def net(x):
    for _ in range(SETTINGS.double):
        x = x + 1.0
    return x * 2.0 if SETTINGS == 3 else x
def made():
    return net
"""
LAYERS = """
class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.layers = nn.SequentialCell([nn.Dense(3, 3, weight_init="ones", bias_init="zeros"), nn.ReLU()])
    def construct(self, x):
        return self.layers(x.reshape(1, 3))
def made():
    return Net()
"""

CHANGES = [
    (CELL, "self.scale = 2.0", "self.scale = 4.0"),
    (CELL, "self.sizes = [1.0, 2.0]", "self.sizes = [1.0, 7.0]"),
    (CELL, '{"a": 1.0}', '{"a": 3.0}'),
    (CELL, "kind = 1.0", "kind = 6.0"),
    (CELL, "np.array([1.0, 1.0, 1.0]", "np.array([1.0, 5.0, 1.0]"),
    (CELL, "return Net()", "return Net().set_train()"),
    (CELL, "y + 100.0 if", "y + 1.0 if"),
    (CELL, "self.fixed = Tensor(np.ones(3, np.float32))", "self.fixed = Tensor(np.ones(1, np.float32))"),
    (CELL, "self.fixed = Tensor(np.ones(3,", "self.fixed = Tensor(3 * np.ones(3,"),
    (CELL, 'np.ones(3, np.float32)), name="weight")', 'np.ones(1, np.float32)), name="weight")'),
    (GLOBAL, "FACTOR = 2.0", "FACTOR = 3.0"),
    (GLOBAL, "x * FACTOR", "x + FACTOR"),
    (CLOSURE, "maker(2.0)", "maker(3.0)"),
    (DEFAULTS, "factor=3.0", "factor=4.0"),
    (DEFAULTS, "shift=1.0", "shift=4.0"),
    (OBJECTS, "depth = 2", "depth = 1"),
    (OBJECTS, "LIMIT = 3", "LIMIT = 4"),
    (OBJECTS, "self.depth * 2", "self.depth * 3"),
    (LAYERS, "nn.ReLU()]", "nn.ReLU(), nn.Tanh()]"),
    (LAYERS, "nn.ReLU()]", "nn.Sigmoid()]"),
    (LAYERS, 'bias_init="zeros"', "has_bias=False"),
]


@pytest.mark.parametrize(
    ("program", "old", "new"), CHANGES, ids=[f"{k} {new}" for k, (_, _, new) in enumerate(CHANGES)]
)
def test_what_changed_is_compiled_again(lab: Lab, program: str, old: str, new: str) -> None:
    assert old in program
    first, compiled = lab.run(program, x())
    assert compiled
    again, compiled = lab.run(program, x())
    assert not compiled
    assert again.asnumpy().tobytes() == first.asnumpy().tobytes()
    changed, compiled = lab.run(program.replace(old, new), x())
    assert compiled
    recalled, compiled = lab.run(program.replace(old, new), x())
    assert not compiled
    assert recalled.asnumpy().tobytes() == changed.asnumpy().tobytes()
    fresh = lab.imported("recall_program", HEAD + program.replace(old, new)).made()
    assert np.allclose(changed.asnumpy(), fresh(x()).asnumpy())


@pytest.mark.parametrize("program", [OTHER_MODULE, IMPORTED])
@pytest.mark.parametrize(("old", "new"), [("x * 5.0", "x * 6.0"), ("x * 5.0", "x * 5.0 + SCALE")])
def test_helpers_in_other_modules_count(lab: Lab, program: str, old: str, new: str) -> None:
    first, _ = lab.run(program, x())
    assert lab.run(program, x())[1] is False
    changed, compiled = lab.run(program, x(), helpers=HELPERS.replace(old, new))
    assert compiled
    assert not np.array_equal(changed.asnumpy(), first.asnumpy())


def test_values_of_other_modules_count(lab: Lab) -> None:
    lab.run(OTHER_MODULE, x())
    changed, compiled = lab.run(OTHER_MODULE, x(), helpers=HELPERS.replace("SCALE = 2.0", "SCALE = 3.0"))
    assert compiled
    assert changed.asnumpy().tolist() == [8.0, 13.0, 18.0]


def test_arguments_count_by_type_and_constants_by_value(lab: Lab) -> None:
    program = "def net(x, n, flags):\n    return x * n + (1.0 if flags['up'] else 0.0)\ndef made():\n    return net\n"
    calls: list[tuple[Any, ...]] = [
        (x(), 2, {"up": True}),
        (Tensor(np.ones(3, np.float16)), 2, {"up": True}),
        (Tensor(np.ones(4, np.float32)), 2, {"up": True}),
        (x(), 3, {"up": True}),
        (x(), 2.0, {"up": True}),
        (x(), 2, {"up": False}),
    ]
    for args in calls:
        assert lab.run(program, *args)[1], args
    for args in calls:
        assert not lab.run(program, *args)[1], args
    other, compiled = lab.run(program, Tensor(np.full(3, 7.0, np.float32)), 2, {"up": True})
    assert not compiled
    assert other.asnumpy().tolist() == [15.0, 15.0, 15.0]


def test_keywords_count(lab: Lab) -> None:
    program = "def net(x, n=1):\n    return x * n\ndef made():\n    return net\n"
    given: list[dict[str, Any]] = [{}, {"n": 2}, {"n": 3}, {"n": 2}, {}]
    assert [lab.run(program, x(), **k)[1] for k in given] == [True] * 3 + [False] * 2


NOTED = """
def made():
    multiply = ops.Mul().add_prim_attr("primitive_target", "CPU")
    return lambda x: multiply(x, x)
"""


def test_nothing_is_kept_when_the_cache_is_off(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(SETTINGS, "enable_compile_cache", False)
        assert [lab.run(NOTED, Tensor([3.0]))[1] for _ in range(2)] == [True, True]
    assert [lab.run(NOTED, Tensor([3.0]))[1] for _ in range(2)] == [True, False]


def test_another_version_compiles_again(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.run(GLOBAL, x())
    monkeypatch.setattr(recall, "versions", lambda: "another")
    assert lab.run(GLOBAL, x())[1]
    assert identity.versions() != "another"


def test_results_keep_their_form(lab: Lab) -> None:
    program = """
Pair = collections.namedtuple("Pair", "a b")
def net(x):
    return {"t": (x, [x + 1.0, 2.5, 1j]), "p": Pair(x * 2.0, "s"), 3: None, "b": b"x", "c": recall_helpers.SCALE}
def made():
    return net
"""
    first, _ = lab.run(program, x())
    again, compiled = lab.run(program, x())
    assert not compiled
    assert repr(again) == repr(first)
    assert type(again["p"]).__module__ == "recall_program"


TRAINING = """
class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.dense = nn.Dense(3, 2, weight_init="ones", bias_init="zeros")
    def construct(self, x):
        return self.dense(x)
def made():
    net = Net()
    step = nn.TrainOneStepCell(nn.WithLossCell(net, nn.MSELoss()), nn.Momentum(net.trainable_params(), 0.1, 0.9))
    return step.set_train()
"""


def test_training_goes_on_as_it_would(lab: Lab) -> None:
    data, label = Tensor(np.ones((4, 3), np.float32)), Tensor(np.zeros((4, 2), np.float32))
    losses = []
    for expected in (True, False):
        lab.imported("recall_helpers", HELPERS)
        step = lab.imported("recall_program", HEAD + TRAINING).made()
        before = lab.made
        call = api.compile_now(step, (data, label), {})
        assert (lab.made > before) == expected
        losses.append([call.run((data, label), {}).asnumpy().item() for _ in range(3)])
        assert step.network._backbone.dense.weight.asnumpy()[0, 0] != 1.0
    assert losses[0] == losses[1]
    assert losses[0][0] > losses[0][2]


def test_guards_watch_after_recall(lab: Lab) -> None:
    lab.run(CELL, x())
    lab.imported("recall_helpers", HELPERS)
    net = lab.imported("recall_program", HEAD + CELL).made()
    before = lab.made
    call = api.compile_now(net, (x(),), {})
    assert lab.made == before
    assert call.guards.check()
    net.scale = 5.0
    assert not call.guards.check()


def test_guards_watch_globals_and_closures_after_recall(lab: Lab) -> None:
    for program, change in ((GLOBAL, "FACTOR"), (OTHER_MODULE, "")):
        lab.run(program, x())
        helpers = lab.imported("recall_helpers", HELPERS)
        module = lab.imported("recall_program", HEAD + program)
        call = api.compile_now(module.made(), (x(),), {})
        assert call.guards.check()
        if change:
            setattr(module, change, 9.0)
        else:
            helpers.SCALE = 9.0
        assert not call.guards.check()


NEVER_KEPT = {
    "attributes that code decides": """
class Odd:
    def __getattr__(self, name):
        return 2.0
ODD = Odd()
def net(x):
    return x * ODD.anything
""",
    "objects that may hold anything": """
class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()
    def construct(self, x):
        return x * 2.0
net = Net()
""",
    "functions that Python runs": """
def double(n):
    return n * 2
double.__constexpr__ = True
def net(x):
    return x * double(1)
""",
    "sets of objects": """
class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.held = {self.construct, print}
    def construct(self, x):
        return x * 2.0
net = Net()
""",
    "much data": """
class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.held = np.zeros(9 << 20, np.float64)
    def construct(self, x):
        return x * 2.0
net = Net()
""",
}


@pytest.mark.parametrize("why", NEVER_KEPT)
def test_what_cannot_be_described_is_compiled_each_time(lab: Lab, why: str) -> None:
    program = NEVER_KEPT[why] + "def made():\n    return net\n"
    for _ in range(2):
        result, compiled = lab.run(program, x())
        assert compiled
        assert result.asnumpy().tolist() == [2.0, 4.0, 6.0]


def entries() -> list[Path]:
    place = diskcache.directory()
    assert place is not None
    return sorted(place.iterdir())


@pytest.mark.parametrize(
    "harm", [lambda d: d[:50], lambda d: d[:-1] + bytes([d[-1] ^ 1]), lambda d: b"", lambda d: b"x" * 200]
)
def test_damaged_entries_are_dropped(lab: Lab, harm: Callable[[bytes], bytes]) -> None:
    first, _ = lab.run(CELL, x())
    for path in entries():
        path.write_bytes(harm(path.read_bytes()))
    again, compiled = lab.run(CELL, x())
    assert compiled
    assert again.asnumpy().tobytes() == first.asnumpy().tobytes()
    assert not lab.run(CELL, x())[1]


def test_a_directory_that_others_can_write_is_not_used(lab: Lab) -> None:
    lab.run(GLOBAL, x())
    place = diskcache.directory()
    assert place is not None
    place.chmod(0o777)
    diskcache._checked.cache_clear()
    with pytest.warns(RuntimeWarning, match="others cannot write"):
        assert lab.run(GLOBAL, x())[1]
    diskcache._checked.cache_clear()


def test_the_switch_turns_it_off(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.run(GLOBAL, x())
    monkeypatch.setenv(recall.SWITCH, "0")
    assert lab.run(GLOBAL, x())[1]


def test_several_states_of_one_function_are_kept(lab: Lab) -> None:
    programs = [CLOSURE.replace("2.0", f"{k}.0") for k in (2, 3, 4)]
    assert [lab.run(p, x())[1] for p in (*programs, *programs)] == [True] * 3 + [False] * 3


PROCESS = """
import sys
import numpy as np
import mindspore as ms
from mindspore import Tensor, nn

class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.dense = nn.Dense(3, 2, weight_init="ones", has_bias=False)
        self.scale = {scale}
    def construct(self, x):
        return self.dense(x) * self.scale

if __name__ == "__main__":
    ms.set_context(mode=ms.GRAPH_MODE)
    print(Net()(Tensor(np.ones((1, 3), np.float32))).asnumpy().tolist())
    print("mindspore.compiler.pipeline" in sys.modules, "mindspore.kernels.flatten" in sys.modules)
"""


def test_other_processes_do_not_even_import_the_compiler(tmp_path: Path) -> None:
    file = tmp_path / "program.py"
    package = str(Path(identity.__file__).parents[2])
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": package}
    environment.pop(recall.SWITCH, None)
    said = []
    for scale in (2.0, 2.0, 3.0):
        file.write_text(PROCESS.format(scale=scale))
        command = [sys.executable, "-X", "pycache_prefix=" + str(tmp_path / "pyc"), str(file)]
        said.append(
            subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split("\n")
        )
    assert [s[0] for s in said] == ["[[6.0, 6.0]]", "[[6.0, 6.0]]", "[[9.0, 9.0]]"]
    assert [s[1] for s in said] == ["True True", "False False", "True True"]


def test_code_that_claims_to_come_from_a_library_counts(lab: Lab) -> None:
    """What ``exec`` makes in a namespace without a name belongs to builtins, as Python says."""
    program = """
class Net(nn.Cell):
    __module__ = "builtins"

    def construct(self, x):
        return helped(x) * 3

def helped(x):
    return x + 1

helped.__module__ = Net.construct.__module__ = "builtins"

def made():
    return Net()
"""
    x = Tensor([1.0])
    assert lab.run(program, x)[0].tolist() == [6.0]
    assert lab.run(program.replace("* 3", "* 4"), x)[0].tolist() == [8.0]
    assert lab.run(program.replace("+ 1", "+ 2"), x)[0].tolist() == [9.0]
