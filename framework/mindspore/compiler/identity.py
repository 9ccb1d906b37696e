"""Code, classes and this package, told in the same way in every process."""

from __future__ import annotations

import hashlib
import linecache
import os
import platform
import sys
import sysconfig
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

import mindspore
from mindspore import _native

_HEAP_TYPE = 1 << 9
_codes: dict[int, tuple[CodeType, str]] = {}


def code_digest(code: CodeType) -> str:
    """The same for code that was compiled from the same source at the same place."""
    known = _codes.get(id(code))
    if known is None:
        known = _codes[id(code)] = (
            code,
            hashlib.sha256(repr(_told(code)).encode("utf-8", "surrogatepass")).hexdigest(),
        )
    return known[1]


def _told(value: Any) -> Any:
    if isinstance(value, CodeType):
        return (
            value.co_filename, value.co_qualname, value.co_firstlineno, value.co_flags, value.co_argcount, value.co_posonlyargcount,
            value.co_kwonlyargcount, value.co_names, value.co_varnames, value.co_freevars, value.co_cellvars, value.co_code,
            value.co_linetable, tuple(_told(c) for c in value.co_consts),
        )  # fmt: skip
    if isinstance(value, frozenset):
        return ("frozenset", sorted(repr(_told(v)) for v in value))
    if isinstance(value, tuple):
        return ("tuple", *(_told(v) for v in value))
    return (type(value).__name__, repr(value))


def names_in(code: CodeType) -> set[str]:
    """Names and strings in the code of a function and of those inside it: what globals and attributes it can ask for."""
    found: set[str] = set()
    stack: list[Any] = [code]
    while stack:
        each = stack.pop()
        if isinstance(each, CodeType):
            found.update(each.co_names)
            stack.extend(each.co_consts)
        elif isinstance(each, tuple | frozenset):
            stack.extend(each)
        elif isinstance(each, str):
            found.add(each)
    return found


def source_digest(function: FunctionType) -> str:
    """Digest of the file as it is now, which is what the front end reads."""
    linecache.checkcache(function.__code__.co_filename)
    lines = linecache.getlines(function.__code__.co_filename, function.__globals__)
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


@cache
def is_library(module: str | None) -> bool:
    """Whether a module's content follows from the versions of Python, numpy and this package."""
    top = (module or "").partition(".")[0]
    if top in ("mindspore", "numpy"):
        return True
    if top not in sys.stdlib_module_names or top == "__main__":
        return False
    file = getattr(sys.modules.get(module or ""), "__file__", None)
    return file is None or Path(file).is_relative_to(sysconfig.get_path("stdlib"))


def in_library(made: FunctionType | type) -> bool:
    """Whether a function or class is what a library has under its name: anybody's code may claim to come from one."""
    found: Any = sys.modules.get(made.__module__)
    if not is_library(made.__module__):
        return False
    for name in made.__qualname__.split("."):
        if name == "<locals>":
            return _is_library_file(made)
        found = getattr(found, name, None)
    return getattr(found, "__func__", found) is made or _is_library_file(made)


def _is_library_file(made: FunctionType | type) -> bool:
    """Whether the code of a function lies in a file of its module's package."""
    module = sys.modules.get(made.__module__.partition(".")[0])
    root = getattr(module, "__file__", None)
    if not isinstance(made, FunctionType) or root is None:
        return False
    return Path(made.__code__.co_filename).is_relative_to(Path(root).parent)


def python_made(cls: type) -> bool:
    """Whether a class statement made `cls`, so that its instances hold nothing but attributes and what their built-in bases hold."""
    if not cls.__flags__ & _HEAP_TYPE or not (
        "__dict__" in vars(cls) or "__slots__" in vars(cls) or _adds_nothing(cls)
    ):
        return False
    module = sys.modules.get(cls.__module__)
    file = getattr(module, "__file__", None)
    return isinstance(module, ModuleType) and (file is None or file.endswith(".py"))


def _adds_nothing(cls: type) -> bool:
    """Whether instances are laid out like those of the base, as those of a subclass without slots are when the base has attributes."""
    return cls.__base__ is not None and cls.__base__.__dictoffset__ != 0


@cache
def versions() -> str:
    """Digest of everything that compiles: this package's sources, the native module, Python, numpy, LLVM and the processor's level."""
    from mindspore.kernels import target

    root = Path(mindspore.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    native = os.stat(str(_native.__file__))
    about = (sys.version, platform.machine(), np.__version__, target.llvm_version(), _native.isa_level())
    digest.update(repr((*about, native.st_size, native.st_mtime_ns)).encode())
    return digest.hexdigest()
