"""Storey 4: rewrites of typed graphs. One pass a file; `PIPELINE` is the order in which they run."""

from __future__ import annotations

from collections.abc import Callable

from mindspore.base.times import stage
from mindspore.ir.graph import Graph
from mindspore.passes.adopt import adopt_extensions
from mindspore.passes.algebra import simplify_algebra
from mindspore.passes.branches import prune_branches
from mindspore.passes.expand import expand_composites
from mindspore.passes.fold import fold_constants
from mindspore.passes.hoist import hoist_invariants
from mindspore.passes.inline import inline_calls
from mindspore.passes.loops import prune_loops
from mindspore.passes.share import share_common
from mindspore.passes.stopgradient import drop_gradient_stops, release

Pass = Callable[[Graph], bool]

SIMPLIFY: tuple[Pass, ...] = (
    inline_calls,
    prune_branches,
    fold_constants,
    simplify_algebra,
    share_common,
    hoist_invariants,
    prune_loops,
)
"""Run to a fixed point before a graph is differentiated and again afterwards."""

PIPELINE: tuple[Pass, ...] = (drop_gradient_stops, adopt_extensions, *SIMPLIFY, expand_composites, *SIMPLIFY)
"""The flat list for a whole graph, once all gradients are expanded."""

FINISH: tuple[Pass, ...] = (release,)
"""What runs once, after `PIPELINE` and after it has settled."""

_ROUNDS = 8


def run_pass(each: Pass, graph: Graph) -> bool:
    """One pass, whose time is counted under its name; whether it changed anything."""
    with stage(each.__name__):
        return each(graph)


def simplify(graph: Graph) -> None:
    """Applies `SIMPLIFY` until nothing changes (at most a fixed number of rounds)."""
    for _ in range(_ROUNDS):
        changed = [run_pass(each, graph) for each in SIMPLIFY]
        if not any(changed):
            return
