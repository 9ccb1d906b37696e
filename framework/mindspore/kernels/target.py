"""Instruction-set levels, and the way from LLVM text to an object file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Isa:
    """One instruction-set level that kernels are generated for.

    Attributes:
        name: suffix of kernel symbols: ``v2`` ``v3`` ``v4`` (x86-64 psABI levels) or ``neon``.
        triple, cpu, features: what LLVM calls it.
        vector_bytes: width of one vector register.
        registers: number of vector registers.
        fma: fused multiply-add is an instruction (without it ``llvm.fma`` would call libm).
        half: float16 <-> float32 conversions are instructions (without them LLVM would call compiler-rt).
    """

    name: str
    triple: str
    cpu: str
    features: str
    vector_bytes: int
    registers: int
    fma: bool
    half: bool

    def lanes(self, itemsize: int) -> int:
        """Elements of one vector register."""
        return self.vector_bytes // itemsize


_X86 = "x86_64-unknown-linux-gnu"
LEVELS: Mapping[str, Isa] = MappingProxyType(
    {
        "v2": Isa("v2", _X86, "x86-64-v2", "", 16, 16, False, False),
        "v3": Isa("v3", _X86, "x86-64-v3", "", 32, 16, True, True),
        "v4": Isa("v4", _X86, "x86-64-v4", "", 64, 32, True, True),
        "neon": Isa("neon", "aarch64-unknown-linux-gnu", "generic", "+neon,+fp-armv8", 16, 32, True, True),
    }
)
ARCHITECTURES: Mapping[str, tuple[Isa, ...]] = MappingProxyType(
    {"x86_64": (LEVELS["v2"], LEVELS["v3"], LEVELS["v4"]), "aarch64": (LEVELS["neon"],)}
)
"""Levels built ahead of time for each architecture, lowest first."""

PIPELINES = ("loops", "tiles")
"""``loops``: LLVM's default pipeline with the loop vectoriser, for scalar loops. ``tiles``: the few passes that explicit vector code
needs; the default pipeline takes four times as long on it and gains nothing."""


def isa(level: str) -> Isa:
    """The level called `level`; ValueError lists the known ones."""
    found = LEVELS.get(level)
    if found is None:
        raise ValueError(f"unknown instruction-set level {level!r}: expected one of {', '.join(LEVELS)}.")
    return found


def levels_up_to(level: Isa) -> Iterable[Isa]:
    """Levels of the same architecture that a machine of `level` can run, lowest first."""
    for listed in ARCHITECTURES.values():
        if level in listed:
            return listed[: listed.index(level) + 1]
    raise ValueError(f"level {level.name} belongs to no architecture")


@cache
def _llvm() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    return llvm


@cache
def _machine(level: Isa) -> Any:
    target = _llvm().Target.from_triple(level.triple)
    return target.create_target_machine(cpu=level.cpu, features=level.features, opt=2, reloc="pic", codemodel="default")


def _run_loops(module: Any, machine: Any) -> None:
    llvm = _llvm()
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = True
    options.slp_vectorization = False
    options.loop_interleaving = True
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)


def _run_tiles(module: Any, machine: Any) -> None:
    llvm = _llvm()
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
    passes = llvm.create_new_module_pass_manager()
    passes.add_sroa_pass()
    passes.add_instruction_combine_pass()
    passes.add_simplify_cfg_pass()
    passes.add_loop_rotate_pass()
    passes.add_new_gvn_pass()
    passes.run(module, builder)


def optimised(text: str, level: Isa, pipeline: str = "loops") -> Any:
    """The parsed, verified and optimised llvmlite module of LLVM `text`."""
    machine = _machine(level)
    module = _llvm().parse_assembly(text)
    module.triple = machine.triple
    module.data_layout = str(machine.target_data)
    module.verify()
    {"loops": _run_loops, "tiles": _run_tiles}[pipeline](module, machine)
    return module


def compile_object(text: str, level: Isa, pipeline: str = "loops") -> bytes:
    """The relocatable object file of LLVM `text`; the same bytes for the same text."""
    data: bytes = _machine(level).emit_object(optimised(text, level, pipeline))
    return data


def compile_assembly(text: str, level: Isa, pipeline: str = "loops") -> str:
    """The assembly of LLVM `text`, for people and tests that look for instructions."""
    listing: str = _machine(level).emit_assembly(optimised(text, level, pipeline))
    return listing


def llvm_version() -> str:
    """Version of the LLVM that compiles, part of every cache key."""
    return ".".join(map(str, _llvm().llvm_version_info))
