"""What code is generated for, instruction-set levels and GPUs, and the way from LLVM text to an object file or PTX."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from mindspore.base.errors import InternalError


@dataclass(frozen=True, slots=True)
class Target:
    """What code is generated for.

    Attributes:
        name: how people and kernel symbols call it.
        triple, cpu, features: what LLVM calls it.
        fma: fused multiply-add is an instruction (without it ``llvm.fma`` would call libm).
        half: float16 <-> float32 conversions are instructions (without them LLVM would call compiler-rt).
    """

    name: str
    triple: str
    cpu: str
    features: str
    fma: bool
    half: bool

    @property
    def attributes(self) -> tuple[str, ...]:
        """What LLVM is told about every function."""
        return ()

    def lanes(self, itemsize: int) -> int:
        """Elements of `itemsize` bytes that one instruction computes with; those of a GPU belong to one thread, which has one."""
        return 1


@dataclass(frozen=True, slots=True)
class Isa(Target):
    """One instruction-set level of a processor; its name, ``v2`` ``v3`` ``v4`` (x86-64 psABI levels) or ``neon``, ends kernel symbols.

    Attributes:
        vector_bytes: width of one vector register.
        registers: number of vector registers.
        pairs: some processors of the level multiply pairs of bfloat16 (AVX512-BF16); code asks which one it runs on.
    """

    vector_bytes: int
    registers: int
    pairs: bool = False

    def lanes(self, itemsize: int) -> int:
        """Elements of one vector register."""
        return self.vector_bytes // itemsize

    @property
    def attributes(self) -> tuple[str, ...]:
        return (f'"prefer-vector-width"="{self.vector_bytes * 8}"',)


@dataclass(frozen=True, slots=True)
class Gpu(Target):
    """A generation of GPUs, named as its vendor does (``sm_80``: compute capability 8.0).

    Attributes:
        warp: threads that run in step and can hand each other registers.
        shared_bytes: memory that the threads of a block share without asking for more at launch.
        registers: of 32 bits, that one thread may have.
    """

    warp: int = 32
    shared_bytes: int = 48 << 10
    registers: int = 255


_X86 = "x86_64-unknown-linux-gnu"
_NVPTX = "nvptx64-nvidia-cuda"
LEVELS: Mapping[str, Isa] = MappingProxyType(
    {
        "v2": Isa("v2", _X86, "x86-64-v2", "", False, False, 16, 16),
        "v3": Isa("v3", _X86, "x86-64-v3", "", True, True, 32, 16),
        "v4": Isa("v4", _X86, "x86-64-v4", "", True, True, 64, 32, True),
        "neon": Isa("neon", "aarch64-unknown-linux-gnu", "generic", "+neon,+fp-armv8", True, True, 16, 32),
    }
)
GPUS: Mapping[str, Gpu] = MappingProxyType(
    {name: Gpu(name, _NVPTX, name, "", True, True) for name in ("sm_70", "sm_80", "sm_90")}
)
"""Code for one runs on later ones too: the driver compiles PTX for the GPU that it finds."""
ARCHITECTURES: Mapping[str, tuple[Isa, ...]] = MappingProxyType(
    {"x86_64": (LEVELS["v2"], LEVELS["v3"], LEVELS["v4"]), "aarch64": (LEVELS["neon"],)}
)
"""Levels built ahead of time for each architecture, lowest first."""

PIPELINES = ("loops", "tiles", "glue")
"""``loops``: LLVM's default pipeline with the loop vectoriser, for scalar loops. ``tiles``: the few passes that explicit vector code
needs; the default pipeline takes four times as long on it and gains nothing. ``glue``: none, for a straight line of calls."""


@dataclass(frozen=True, slots=True)
class Part:
    """A module as text, and the passes that it needs."""

    text: str
    pipeline: str


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


def _machine(level: Target, opt: int) -> Any:
    target = _llvm().Target.from_triple(level.triple)
    return target.create_target_machine(
        cpu=level.cpu, features=level.features, opt=opt, reloc="pic", codemodel="default"
    )


def _loops(machine: Any) -> tuple[Any, Any]:
    llvm = _llvm()
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = True
    options.slp_vectorization = False
    options.loop_interleaving = True
    builder = llvm.create_pass_builder(machine, options)
    return builder, builder.getModulePassManager()


def _tiles(machine: Any) -> tuple[Any, Any]:
    llvm = _llvm()
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
    passes = llvm.create_new_module_pass_manager()
    passes.add_sroa_pass()
    passes.add_instruction_combine_pass()
    passes.add_simplify_cfg_pass()
    passes.add_loop_rotate_pass()
    passes.add_new_gvn_pass()
    return builder, passes


@cache
def _unlocked(name: str) -> Any:
    """A function of LLVM without the lock that llvmlite holds around each call.

    Here every compilation has a context and a machine of its own, so that LLVM lets several run at the same time.
    """
    from llvmlite.binding import ffi

    function = getattr(ffi.lib, name)
    return getattr(function, "_cfn", function)


class _Compilation:
    """One module on its way to code. Nothing in it is shared with other compilations."""

    def __init__(self, text: str, level: Target, pipeline: str) -> None:
        llvm = _llvm()
        self.machine = _machine(level, 0 if pipeline == "glue" else 2)
        self.context = llvm.create_context()
        self.module = llvm.parse_assembly(text, self.context)
        self.module.triple = self.machine.triple
        self.module.data_layout = str(self.machine.target_data)
        self.module.verify()
        if pipeline != "glue":
            builder, passes = {"loops": _loops, "tiles": _tiles}[pipeline](self.machine)
            _unlocked("LLVMPY_RunNewModulePassManager")(passes, self.module, builder)

    def code(self, as_object: bool) -> bytes:
        from ctypes import string_at

        from llvmlite.binding import ffi

        with ffi.OutputString() as error:
            buffer = _unlocked("LLVMPY_TargetMachineEmitToMemory")(self.machine, self.module, int(as_object), error)
            if not buffer:
                raise InternalError(f"LLVM emits no code: {error}")
        try:
            return string_at(ffi.lib.LLVMPY_GetBufferStart(buffer), ffi.lib.LLVMPY_GetBufferSize(buffer))
        finally:
            ffi.lib.LLVMPY_DisposeMemoryBuffer(buffer)


def optimised(text: str, level: Target, pipeline: str = "loops") -> str:
    """LLVM `text` after the passes."""
    return str(_Compilation(text, level, pipeline).module)


def compile_object(text: str, level: Isa, pipeline: str = "loops") -> bytes:
    """The relocatable object file of LLVM `text`; the same bytes for the same text. May run on several threads at once."""
    return _Compilation(text, level, pipeline).code(as_object=True)


def compile_assembly(text: str, level: Target, pipeline: str = "loops") -> str:
    """The assembly of LLVM `text`: PTX for a GPU; of a processor for people and tests that look for instructions."""
    return _Compilation(text, level, pipeline).code(as_object=False).decode()


def llvm_version() -> str:
    """Version of the LLVM that compiles, part of every cache key."""
    return ".".join(map(str, _llvm().llvm_version_info))
