"""The LLVM modules of one graph: the glue that runs it, and what it runs.

What the entry calls lies in modules of its own, whose names say what is in them: equal ones are compiled once, whichever graph they belong
to, and the others side by side.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.kernels import lower_nest
from mindspore.kernels import nest as nests
from mindspore.kernels.emit import Module
from mindspore.kernels.nest import Nest
from mindspore.kernels.nest_shapes import Shape, shape_of
from mindspore.kernels.program import Value
from mindspore.kernels.sizes import Facts, Term, evaluate, hold
from mindspore.kernels.target import Part

Emit = Callable[[Module, str], None]
"""Writes a function of the given name, and those it needs under names that begin with it, into a module."""
Started = tuple[tuple[int, int], str, tuple[int, ...]]
_PLACEHOLDER = "unit"


@dataclass(frozen=True, slots=True)
class _Variant:
    """Code of nests that differ in sizes. It takes ``terms`` as arguments and is right for sizes for which ``facts`` hold."""

    symbol: str
    terms: tuple[Term, ...]
    facts: Facts


class Shared:
    """Parts of one graph. ``constants[0]`` at run time is the table of ahead-of-time kernels that the graph calls.

    ``symbolic``: the graph has symbolic sizes; the first constant then stands for the values of their atoms.
    """

    def __init__(self, module: Module, symbolic: bool = False) -> None:
        self.module = module
        self.parts: dict[str, Part] = {}
        self.constants: dict[Value, int] = {}
        self.kernels: dict[str, int] = {}
        self.names: dict[str, str] = {}
        self.variants: dict[str, list[_Variant]] = {}
        self.calls = 0
        self.started_once: dict[tuple[Hashable, ...], tuple[Nest, Started]] = {}
        self.merged_once: dict[tuple[Hashable, ...], tuple[Nest, Nest]] = {}
        self.named_once: dict[tuple[Hashable, ...], tuple[object, str]] = {}
        self.symbolic = symbolic
        self.atoms = Value(dt.int64, 0, np.empty(0, np.int64))
        if symbolic:
            self.constant(self.atoms)

    def once(self, kind: str, key: str, emit: Emit, apart: bool, called: str = "") -> str:
        """The symbol of what `key` describes, emitted at its first use: its name, with ``called`` behind it."""
        full = f"{kind} {key} {apart}"
        if full not in self.names:
            self.names[full] = self._emitted(kind, emit, apart, called)
        return self.names[full]

    def started(self, nest: Nest, apart: bool) -> Started:
        """How to start a nest: units and those of a chunk, the symbol, and the sizes to hand to it. Found out once for each object."""
        key = id(nest), apart
        if key not in self.started_once:
            work = lower_nest.units(nest), lower_nest.grain(nest)
            self.started_once[key] = nest, (work, *self.nest(nest, work[1] < work[0], apart))
        return self.started_once[key][1]

    def merged(self, nest: Nest, same: tuple[int, ...]) -> Nest:
        """`nests.shared`, found out once for each object."""
        if len(set(same)) == len(same):
            return nest
        key = id(nest), same
        if key not in self.merged_once:
            self.merged_once[key] = nest, nests.shared(nest, same)
        return self.merged_once[key][1]

    def named(self, about: object, key: tuple[Hashable, ...], name: Callable[[], str]) -> str:
        """The symbol that `name` gives for the object `about` and `key`, found out once."""
        full = id(about), *key
        if full not in self.named_once:
            self.named_once[full] = about, name()
        return self.named_once[full][1]

    def nest(self, nest: Nest, parallel: bool, apart: bool) -> tuple[str, tuple[int, ...]]:
        """The symbol of the nest's function, of a chunk of it when it runs in `parallel`, and the sizes to hand to it."""
        shape = shape_of(nest, apart)
        variants = self.variants.setdefault(f"{shape.key} {parallel} {apart}", [])
        found = next((v for v in variants if hold(v.facts, shape.sizes)), None)
        if found is None:
            found = self._variant(shape, parallel, apart)
            variants.append(found)
        return found.symbol, tuple(evaluate(t, shape.sizes) for t in found.terms)

    def _variant(self, shape: Shape, parallel: bool, apart: bool) -> _Variant:
        nest, facts = shape.opened()
        terms: list[Term] = []

        def emit(module: Module, name: str) -> None:
            made = lower_nest.emit_units(module, name, nest)
            terms.extend(made.sizes)
            if parallel:
                lower_nest.emit_chunk(module, f"{name}_chunk", name, len(nest.pointers), len(terms))

        symbol = self._emitted("nest", emit, apart, "_chunk" if parallel else "")
        return _Variant(symbol, tuple(terms), facts)

    def _emitted(self, kind: str, emit: Emit, apart: bool, called: str) -> str:
        if apart:
            return self._apart(kind, emit, called)
        name = f"{kind}{len(self.names) + len(self.variants)}"
        emit(self.module, name)
        return name + called

    def _apart(self, kind: str, emit: Emit, called: str) -> str:
        """A module named after its content."""
        module = Module(self.module.isa)
        emit(module, _PLACEHOLDER)
        exported = module.exported(_PLACEHOLDER + called)
        text = module.text()
        name = f"{kind}_{hashlib.sha256(text.encode()).hexdigest()[:24]}"
        self.parts[name] = Part(text.replace(f"@{_PLACEHOLDER}", f"@{name}"), "loops")
        self.module.declare(name + called, exported.declaration(name + called))
        return name + called

    def kernel(self, name: str) -> int:
        """The position of an ahead-of-time kernel in the table."""
        return self.kernels.setdefault(name, len(self.kernels))

    def constant(self, value: Value) -> int:
        """The position of a constant among all of them; 0 is the table."""
        return self.constants.setdefault(value, len(self.constants) + 1)
