"""What the stages make of the example program of ARCHITECTURE.md. ``python -m tests.docs.stage_examples`` writes it into the page."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np

import mindspore as ms
from mindspore.autodiff.reverse import value_and_grad_graph
from mindspore.compiler.pipeline import EXPANDERS
from mindspore.frontend.parse import parse
from mindspore.infer.specialise import specialise
from mindspore.ir.graph import Graph
from mindspore.ir.printer import to_text
from mindspore.kernels import target
from mindspore.kernels.lower import lower
from mindspore.passes import FINISH, PIPELINE, simplify

PAGE = Path(__file__).resolve().parents[2] / "ARCHITECTURE.md"
BLOCK = re.compile(r"```(\w+) stage=(\w+)\n(.*?)```", re.DOTALL)


def stages() -> dict[str, str]:
    """The text of each stage for the program on the page."""
    program = _program(next(m[3] for m in BLOCK.finditer(PAGE.read_text("utf-8")) if m[2] == "program"))
    x = ms.Tensor(np.ones(3, np.float32))
    untyped = _only(to_text(parse(program)), "scaled")
    typed = specialise(program, (x, x), {}, parse=parse, expanders=EXPANDERS).graph
    found = {"frontend": untyped, "infer": to_text(typed)}
    simplify(typed)
    graph = value_and_grad_graph(typed, [1], differentiated=[0])
    found["autodiff"] = _only(to_text(graph), "grad_scaled", "branch_backward")
    _finish(graph)
    found["passes"] = _only(to_text(graph), "grad_scaled", "branch_backward")
    found["kernels"] = _nest(lower(graph, isa=target.isa("v3")).llvm_ir)
    return {name: _without_places(text) for name, text in found.items()}


def _program(source: str) -> Any:
    """The function that the page shows, from a file as the front end needs it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "program.py"
        file.write_text(source, encoding="utf-8")
        spec = spec_from_file_location("program", file)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        parse(module.scaled)
        return module.scaled


def _finish(graph: Graph) -> None:
    for each in PIPELINE:
        each(graph)
    simplify(graph)
    for each in FINISH:
        each(graph)


def _only(text: str, *names: str) -> str:
    """The graphs of these names."""
    graphs = text.rstrip("\n").split("\n\n")
    return "\n\n".join(g for g in graphs if g.startswith(tuple(f"graph @{n}(" for n in names))) + "\n"


def _nest(module: str) -> str:
    """The loop that squares in the first branch."""
    functions = re.findall(r"^define .*?^\}", module, re.DOTALL | re.MULTILINE)
    return str(next(f for f in functions if "fmul" in f and "phi" in f))


def _without_places(text: str) -> str:
    return re.sub(r"  # \S+:\d+$", "", text, flags=re.MULTILINE).rstrip("\n") + "\n"


def written(page: str, texts: Mapping[str, str]) -> str:
    """`page` with `texts` in their blocks."""

    def block(found: re.Match[str]) -> str:
        return f"```{found[1]} stage={found[2]}\n{texts.get(found[2], found[3])}```"

    return BLOCK.sub(block, page)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8"), stages()), encoding="utf-8")
