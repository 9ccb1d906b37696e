"""Typed graphs as SVG: values flow from top to bottom, and the graphs inside branches, loops and calls stand in the boxes of these."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

import numpy as np

from mindspore.ir.graph import CALL, CUSTOM, IF, SCAN, WHILE, Apply, Constant, Graph, Node, Parameter, schedule
from mindspore.ir.rewrite import inner_first

MOST_NODES = 1500
"""More are not drawn: a picture of them helps nobody."""
_LONGEST_LABEL = 44
_CHARACTER, _LINE, _PAD, _GAP = 6.2, 13.0, 6.0, 16.0
_ROLES = {
    IF: ("then", "else"),
    WHILE: ("while", "body"),
    SCAN: ("body",),
    CALL: ("function",),
    CUSTOM: ("forward", "backward"),
}
_INVALID = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_STYLE = (
    "text{font:11px monospace;fill:#222}.title{font-weight:bold}.box{fill:#eef3fb;stroke:#5b7db1}.inside{fill:#fff;stroke:#b9c3d2}"
    ".input{fill:#eaf6ea;stroke:#5f9e5f}.effect{fill:#fdeeee;stroke:#c05c5c}.edge{fill:none;stroke:#888}.note{fill:#a33}"
)


@dataclass(slots=True)
class _Box:
    lines: list[str]
    kind: str
    about: str
    inside: list[tuple[str, _Drawing]] = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0

    @property
    def head(self) -> float:
        return _LINE * len(self.lines) + 2 * _PAD

    @property
    def width(self) -> float:
        text = max(map(len, self.lines)) * _CHARACTER + 2 * _PAD
        return max(text, sum(d.width + _PAD for _, d in self.inside) + _PAD)

    @property
    def height(self) -> float:
        return self.head + max((d.height + _PAD for _, d in self.inside), default=0.0)


@dataclass(slots=True)
class _Drawing:
    """A graph laid out. ``count``: the nodes in it and in the graphs inside it."""

    title: str
    boxes: list[_Box]
    edges: list[tuple[_Box, _Box]]
    count: int
    width: float = 0.0
    height: float = 0.0


def to_svg(graph: Graph, title: str = "") -> str:
    """`graph` as the text of an SVG file, the same in every run. Of more than `MOST_NODES` nodes the rest is only told."""
    made: dict[int, _Drawing] = {}
    for each in inner_first(graph):
        made[id(each)] = _laid_out(each, made)
    drawing = made[id(graph)]
    width, height = drawing.width + 2 * _GAP, drawing.height + 2 * _GAP + _LINE
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">',
        f"<style>{_STYLE}</style>",
        f'<text class="title" x="{_GAP}" y="{_GAP}">{_clean(title or graph.name)}</text>',
        *_drawn(drawing, _GAP, _GAP + _LINE),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _laid_out(graph: Graph, made: dict[int, _Drawing]) -> _Drawing:
    order = [n for n in schedule(graph) if isinstance(n, Apply | Parameter)]
    shown, left_out = order[:MOST_NODES], len(order) - MOST_NODES
    count = len(shown)
    boxes: dict[int, _Box] = {}
    layers: list[list[_Box]] = []
    depth: dict[int, int] = {}
    for node in shown:
        inside = _inside(node, made)
        if count + sum(d.count for _, d in inside) > MOST_NODES:
            inside = []
        count += sum(d.count for _, d in inside)
        box = boxes[id(node)] = _Box(_label(node), _kind(node), _about(node), inside)
        place = depth[id(node)] = 1 + max((depth[id(i)] for i in node.inputs if id(i) in depth), default=-1)
        while len(layers) <= place:
            layers.append([])
        layers[place].append(box)
    edges = [(boxes[id(i)], boxes[id(n)]) for n in shown for i in dict.fromkeys(n.inputs) if id(i) in boxes]
    if left_out > 0:
        layers.append([_Box([f"... and {left_out} more nodes that are not drawn"], "note", "")])
    drawing = _Drawing(graph.name, [b for layer in layers for b in layer], edges, count)
    _place(drawing, layers)
    return drawing


def _place(drawing: _Drawing, layers: list[list[_Box]]) -> None:
    """Rows from top to bottom; in a row each box stands where its inputs stand on average."""
    inputs: dict[int, list[_Box]] = {}
    for source, target in drawing.edges:
        inputs.setdefault(id(target), []).append(source)

    def middle(box: _Box) -> float:
        found = [s.x + s.width / 2 for s in inputs.get(id(box), ())]
        return sum(found) / len(found) if found else 0.0

    y = _LINE + _PAD
    for layer in layers:
        layer.sort(key=middle)
        x = _PAD
        for box in layer:
            box.x, box.y = max(x, middle(box) - box.width / 2), y
            x = box.x + box.width + _GAP
        drawing.width = max(drawing.width, x)
        y += max(b.height for b in layer) + 2 * _GAP
    drawing.width = max(drawing.width, len(drawing.title) * _CHARACTER + 2 * _PAD)
    drawing.height = y


def _inside(node: Node, made: dict[int, _Drawing]) -> list[tuple[str, _Drawing]]:
    """The graphs in the box of a structured node; one that is drawn around it already has its name alone."""
    if not isinstance(node, Apply) or node.op not in _ROLES:
        return []
    graphs = [i.value for i in node.inputs if isinstance(i, Constant) and isinstance(i.value, Graph)]
    roles = zip(_ROLES[node.op], graphs, strict=False)
    return [(role, made[id(g)]) for role, g in roles if id(g) in made]


def _label(node: Node) -> list[str]:
    if isinstance(node, Parameter):
        return [_short(node.name), _short(str(node.type))]
    assert isinstance(node, Apply)
    attrs = ", ".join(f"{k}={v!r}" for k, v in node.attrs.items())
    lines = [str(getattr(node.op, "name", node.op)), _short(str(node.type))]
    if attrs:
        lines.insert(1, _short(f"[{attrs}]"))
    constants = [f"{k}: {_constant(i)}" for k, i in enumerate(node.inputs) if isinstance(i, Constant)]
    return [*lines, *map(_short, constants)]


def _constant(node: Constant) -> str:
    if isinstance(node.value, Graph):
        return f"@{node.value.name}"
    if isinstance(node.value, np.ndarray) and node.value.size > 4:
        return f"{node.value.dtype}{list(node.value.shape)}"
    return str(node.value.tolist()) if isinstance(node.value, np.ndarray) else repr(node.value)


def _kind(node: Node) -> str:
    if isinstance(node, Parameter):
        return "input"
    return "effect" if getattr(getattr(node, "op", None), "name", "") == "Emit" else "box"


def _about(node: Node) -> str:
    place = node.location
    return f"{place.file}:{place.line}\n{place.source.strip()}" if place else ""


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 3] + "..."


def _clean(text: str) -> str:
    """Text for XML; characters that it cannot hold are replaced."""
    return escape(_INVALID.sub("\ufffd", text))


def _drawn(drawing: _Drawing, left: float, top: float) -> Iterator[str]:
    """The elements of a drawing, those of the drawings inside it after it."""
    pending: list[tuple[str, _Drawing, float, float]] = [("", drawing, left, top)]
    while pending:
        role, current, x, y = pending.pop()
        title = f"{role} @{current.title}" if role else f"@{current.title}"
        yield _rectangle("inside", x, y, current.width, current.height, "")
        yield f'<text class="title" x="{x + _PAD:.1f}" y="{y + _LINE:.1f}">{_clean(title)}</text>'
        yield from (_edge(a, b, x, y) for a, b in current.edges)
        for box in current.boxes:
            yield from _boxed(box, x, y)
            place = x + box.x + _PAD
            for inner_role, inner in box.inside:
                pending.append((inner_role, inner, place, y + box.y + box.head))
                place += inner.width + _PAD


def _boxed(box: _Box, x: float, y: float) -> Sequence[str]:
    if box.kind == "note":
        return [f'<text class="note" x="{x + box.x:.1f}" y="{y + box.y + _LINE:.1f}">{_clean(box.lines[0])}</text>']
    found = [_rectangle(box.kind, x + box.x, y + box.y, box.width, box.height, box.about)]
    for number, line in enumerate(box.lines):
        place = f'x="{x + box.x + _PAD:.1f}" y="{y + box.y + _PAD + _LINE * (number + 0.8):.1f}"'
        found.append(f"<text {place}>{_clean(line)}</text>")
    return found


def _rectangle(kind: str, x: float, y: float, width: float, height: float, about: str) -> str:
    shape = f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="3"'
    return f"{shape}><title>{_clean(about)}</title></rect>" if about else f"{shape}/>"


def _edge(source: _Box, target: _Box, x: float, y: float) -> str:
    x1, y1 = x + source.x + source.width / 2, y + source.y + source.height
    x2, y2 = x + target.x + target.width / 2, y + target.y
    bend: Any = (y2 - y1) / 2
    return f'<path class="edge" d="M{x1:.1f} {y1:.1f}C{x1:.1f} {y1 + bend:.1f} {x2:.1f} {y2 - bend:.1f} {x2:.1f} {y2:.1f}"/>'
