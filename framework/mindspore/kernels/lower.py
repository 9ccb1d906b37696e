"""A typed graph as LLVM modules, one of them with ``int32 entry(const Runtime*, void* const* slots)``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mindspore.base.errors import Location
from mindspore.ir.effects import Site
from mindspore.ir.graph import Graph
from mindspore.ir.sizes import has_sizes
from mindspore.kernels.emit import Module
from mindspore.kernels.entry import Functions
from mindspore.kernels.flatten import flatten, tensor_types
from mindspore.kernels.modules import Shared
from mindspore.kernels.target import Isa, Part

ENTRY = "entry"


@dataclass(frozen=True, slots=True)
class Lowered:
    """Everything that running the graph needs besides its arguments.

    Attributes:
        parts: the modules, first the one of the entry; equal graphs give equal text.
        entry: the exported function. Slots: parameters, results, a table of kernel addresses, `constants`, the arena.
        kernels: names of the ahead-of-time kernels whose addresses the table holds, in order.
        constants: arrays that the code reads. In code for symbolic sizes the first stands for the values of their atoms.
        arena_bytes: memory that one run needs; a symbolic size in such code.
        sites: the effects that the code hands to ``Runtime.emit`` by number, with the types of their values; those without elements are not
            handed over.
        places: where the user wrote what may fail, by the numbers in the messages of `kernels.bounds`.
        calls: loop nests, products and other units of work that one run of the entry's own code starts.
    """

    parts: tuple[Part, ...]
    entry: str
    kernels: tuple[str, ...]
    constants: tuple[np.ndarray, ...]
    arena_bytes: int
    sites: tuple[Site, ...]
    places: tuple[Location, ...]
    calls: int

    @property
    def llvm_ir(self) -> str:
        """All modules as text, for people and tests."""
        return "\n".join(part.text for part in self.parts)


def lower(graph: Graph, *, isa: Isa, updates: Mapping[int, int] | None = None) -> Lowered:
    """Lower a closed typed graph without composites. ``updates``: output index -> index of the parameter that it overwrites."""
    shared = Shared(Module(isa), any(has_sizes(t.shape) for p in graph.parameters for t in tensor_types(p.type)))
    functions, program = Functions(shared), flatten(graph, updates or {})
    arena_bytes = functions.entry(program, ENTRY)
    entry = Part(shared.module.text(), "loops" if functions.emitted else "glue")
    constants = tuple(v.constant for v in shared.constants if v.constant is not None)
    kernels, sites, places = tuple(shared.kernels), tuple(program.sites), tuple(program.places)
    return Lowered((entry, *shared.parts.values()), ENTRY, kernels, constants, arena_bytes, sites, places, shared.calls)
