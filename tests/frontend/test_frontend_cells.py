"""Cells as people write them: in GRAPH_MODE they give what they give in PYNATIVE_MODE, and change their Parameters in the same way."""

from __future__ import annotations

import pytest

import mindspore as ms
from tests.frontend.programs import assert_same, defined, plain, t
from tests.frontend.test_frontend_superset import PRELUDE, programs

X = t(1.0, 2.0, 3.0)
CELLS = """
# X
class Basic(nn.Cell):
    def __init__(self):
        super().__init__()
        self.w = Parameter(Tensor([1., 2., 3.]), name="w"); self.n = 3; self.t = (1, 2); self.d = {"a": 1}
        self.cells = nn.CellList([nn.ReLU(), nn.Tanh()]); self.seq = nn.SequentialCell([nn.ReLU(), nn.Sigmoid()])
        self.fn = ops.relu; self.none = None; self.flag = True
    @property
    def twice(self): return self.n * 2
    @staticmethod
    def st(v): return v + 1
    @classmethod
    def cl(cls, v): return v * 2
    def helper(self, x, k=2): return x * k + self.n
    def construct(self, x):
        for c in self.cells: x = c(x)
        x = self.seq(x) + self.fn(x)
        if self.flag and self.none is None: x = self.helper(x, k=self.t[1])
        for i, c in enumerate(self.cells): x = c(x) + i
        return self.st(self.cl(x)) * self.twice + self.w * self.d["a"] + len(self.cells), self.cells[0](x)

# X
class Sub(Basic):
    def construct(self, x):
        a, b = super().construct(x)
        return a + super(Sub, self).helper(b)

# X
class State(nn.Cell):
    def __init__(self):
        super().__init__()
        self.p = Parameter(Tensor([0., 0., 0.]), name="p"); self.c = Parameter(Tensor(0, ms.int32), name="c")
    def construct(self, x):
        for i in range(3):
            self.p += x * i
            self.c = self.c + 1
        while self.c < 10:
            self.c += 2
            if self.p.sum() > 100: break
            self.p = self.p * 2
        ops.assign(self.p, self.p + 1)
        return self.p + x, self.c

# X
class Kw(nn.Cell):
    def inner(self, *args, **kwargs): return args[0] * kwargs["k"] + len(args)
    def construct(self, x, y=2, *a):
        return self.inner(x, y, k=3) + y + len(a)

# X
class Callme(nn.Cell):
    def __init__(self):
        super().__init__()
        self.inner = Kw(); self.layers = [nn.ReLU(), nn.Tanh()]; self.obj = Obj(3)
    def construct(self, x):
        for l in self.layers: x = l(x)
        return self.inner(x) + self.obj.a + self.obj.mul(x)
"""


@pytest.mark.parametrize("name", [p.id for p in programs(CELLS)])
@pytest.mark.parametrize("calls", [1, 2])
def test_cells(name: str, calls: int) -> None:
    found = []
    for mode in (ms.PYNATIVE_MODE, ms.GRAPH_MODE):
        ms.set_context(mode=mode)
        cell = defined(PRELUDE + CELLS, str(name))()
        results = [plain(cell(X)) for _ in range(calls)]
        found.append((results, {p.name: p.asnumpy().copy() for p in cell.get_parameters()}))
    ms.set_context(mode=ms.PYNATIVE_MODE)
    assert_same(found[1][0], found[0][0])
    assert_same(found[1][1], found[0][1])


def test_the_table_is_whole() -> None:
    assert len(programs(CELLS)) == 5
