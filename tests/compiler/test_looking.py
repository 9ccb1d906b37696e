"""To look at a compilation: drawings of graphs, and the times of the stages."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import mindspore as ms
import mindspore.common.meanings
from mindspore import Tensor
from mindspore.base import dtypes as dt
from mindspore.base.errors import Location
from mindspore.compiler.drawing import MOST_NODES, to_svg
from mindspore.compiler.pipeline import Options, compile_call
from mindspore.compiler.times import compile_times, times_table
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import CALL, Apply, Graph, Node, Parameter
from mindspore.ir.loops import function
from mindspore.ir.types import TensorType

pytestmark = pytest.mark.compiler
SVG = "{http://www.w3.org/2000/svg}"
F = TensorType(dt.float32, (2,))


def branching(x: Any) -> Any:
    y = x * 2.0
    if y.sum() > 1:
        print("large", y)
        while y.sum() < 100:
            y = y * 1.5 + x
    else:
        y = y - 1
    return y


def texts(svg: str) -> list[str]:
    return [e.text or "" for e in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def chain(length: int) -> Graph:
    b = GraphBuilder()
    x = Parameter("x", F)
    node: Node = x
    for _ in range(length):
        node = b.sin(node)
    return Graph("chain", [x], b.tuple([node]))


def test_every_stage_is_drawn_with_the_graphs_inside(tmp_path: Path) -> None:
    args = (Tensor(np.ones(3, np.float32)),)
    compile_call(branching, args, {}, Options("reference", 3, str(tmp_path)))
    drawings = sorted(tmp_path.glob("*.svg"))
    assert len(drawings) > 5
    assert all(d.with_suffix(".ir").exists() for d in drawings)
    found = texts(drawings[-1].read_text("utf-8"))
    for wanted in (
        "@branching",
        "then @branching_then",
        "else @branching_else",
        "while @branching_while",
        "body @branching_body",
        "Emit",
    ):
        assert any(wanted in text for text in found), wanted
    assert not list(tmp_path.glob(".*"))


def test_levels_below_draw_nothing(tmp_path: Path) -> None:
    compile_call(branching, (Tensor(np.ones(3, np.float32)),), {}, Options("reference", 2, str(tmp_path)))
    assert not list(tmp_path.glob("*.svg"))
    assert list(tmp_path.glob("*_final.ir"))


def test_drawings_are_the_same_in_every_run() -> None:
    assert to_svg(chain(30)) == to_svg(chain(30))


@pytest.mark.parametrize("length", [MOST_NODES, 10_000])
def test_large_graphs_are_cut_and_say_so(length: int) -> None:
    svg = to_svg(chain(length))
    assert len(svg) < 1_500_000
    assert f"... and {length + 2 - MOST_NODES} more nodes that are not drawn" in texts(svg)


def test_graphs_that_call_others_many_times_do_not_explode() -> None:
    b = GraphBuilder()
    inner = chain(3)
    for level in range(40):
        x = Parameter("x", F)
        first = b.get(Apply(CALL, [function(inner), x], type=inner.result.type), 0)
        second = b.get(Apply(CALL, [function(inner), first], type=inner.result.type), 0)
        inner = Graph(f"level{level}", [x], b.tuple([second]))
    svg = to_svg(inner)
    assert len(svg) < 2_000_000
    assert "0: @level38" in texts(svg)


def test_any_name_gives_valid_xml() -> None:
    name = "a<b>&\"'\x00\x1b\ud800]]>ü"
    location = Location(name, 3, 1, name, name)
    x = Parameter(name, F, location)
    svg = to_svg(Graph(name, [x], GraphBuilder(location).sin(x)), name)
    svg.encode("utf-8")
    assert any("a<b>&\"'\ufffd\ufffd\ufffd]]>ü" in text for text in texts(svg))


def test_boxes_of_a_graph_do_not_overlap() -> None:
    b = GraphBuilder()
    x = Parameter("x", F)
    wide = [b.mul(x, float(i)) for i in range(12)]
    svg = to_svg(Graph("wide", [x], b.tuple([b.add(p, q) for p in wide for q in wide[:3]])))
    boxes = [
        tuple(float(e.attrib[k]) for k in ("x", "y", "width", "height"))
        for e in ElementTree.fromstring(svg).iter(f"{SVG}rect")
        if e.attrib["class"] != "inside"
    ]
    assert len(boxes) == 1 + 12 + 36 + 1
    for i, (x1, y1, w1, h1) in enumerate(boxes):
        for x2, y2, w2, h2 in boxes[i + 1 :]:
            assert x1 + w1 <= x2 or x2 + w2 <= x1 or y1 + h1 <= y2 or y2 + h2 <= y1


def test_times_of_the_stages(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MS_DEV_COMPILE_TIMES", "1")

    def program(x: Any) -> Any:
        return ms.grad(lambda v: (v * v).sum())(x)

    compile_call(program, (Tensor(np.ones(3, np.float32)),), {}, Options("cpu"))
    times = {t.name: t for t in compile_times()}
    assert {"parse", "infer", "transform", "share_common", "lower", "machine code", "link"} <= set(times)
    assert all(t.seconds >= 0 and t.runs >= 1 for t in times.values())
    assert times["transform"].runs == 1
    assert times["share_common"].runs >= 3
    shown = capsys.readouterr().err
    assert shown.startswith("compiling program: ")
    assert all(name in shown for name in times)
    assert times_table().split("\n")[1:] == shown.rstrip("\n").split("\n")[1:]


def test_no_table_without_the_switch(capsys: pytest.CaptureFixture[str]) -> None:
    compile_call(lambda x: x + 1, (Tensor([1.0]),), {}, Options("reference"))
    assert capsys.readouterr().err == ""


def test_a_failed_compilation_has_times_too() -> None:
    with pytest.raises(TypeError):
        compile_call(lambda x: x + "a", (Tensor([1.0]),), {}, Options("reference"))
    assert "infer" in {t.name for t in compile_times()}
