"""Compilations of earlier processes: found by everything that they depend on, and run without compiling.

Two entries of the disk cache lead to one. The first is found by the called function and the types of the arguments, and tells which
functions inference entered. With these a `Fingerprint` of the state is taken, and by it the second is found: the program, and which objects
it reads, writes and guards, by their numbers in the fingerprint. Where anything cannot be described the call is compiled, and not kept.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from mindspore import backends
from mindspore._native import MISSING, Guards, TensorBase, isa_level
from mindspore.base.times import KERNELS
from mindspore.compiler.fingerprint import Fingerprint, UnknownStateError
from mindspore.compiler.general import Compiled
from mindspore.compiler.identity import code_digest, is_library, versions
from mindspore.compiler.options import Options
from mindspore.compiler.record import UnstorableError, packed, program_of, program_parts, restored, stored, unpacked
from mindspore.compiler.results import runnable
from mindspore.kernels import diskcache

SWITCH = "MS_COMPILER_CACHE_ENABLE"
"""Environment variable: 0 compiles each call anew."""
_MOST_VARIANTS = 4
Make = Callable[[Any, Sequence[Any], Mapping[str, Any], Options], Any]


def compiled(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], options: Options, make: Make) -> Compiled:
    """The call from the cache; else what `make` makes (a `pipeline.Prepared`), which is kept for other processes."""
    call = _Call(function, args, kwargs, options) if _enabled(options) else None
    found = call.recalled() if call is not None else None
    if found is not None:
        return found
    made = make(function, args, kwargs, options)
    if call is not None:
        call.remember(made)
    result: Compiled = made.compiled
    return result


def _enabled(options: Options) -> bool:
    if (
        not options.kept
        or options.save_graphs
        or os.environ.get("MS_DEV_DEBUG") == "1"
        or os.environ.get(KERNELS) == "1"
        or os.environ.get(SWITCH) == "0"
    ):
        return False
    return backends.storing(backends.find(options.backend)) and diskcache.directory() is not None


class _Call:
    """One call that is to be compiled."""

    def __init__(self, function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], options: Options) -> None:
        self.function, self.args, self.kwargs, self.options = function, args, kwargs, options
        kinds = [_kind(a) for a in args], [(k, _kind(v)) for k, v in kwargs.items()]
        self.key = diskcache.key("call", versions(), isa_level(), repr(options), _name(function), repr(kinds))

    def recalled(self) -> Compiled | None:
        """The compilation that an earlier process left for this state."""
        for entered in self._variants():
            try:
                walk = self._walk(entered)
                data = diskcache.read(self._place(entered, walk))
                if data is not None:
                    return _loaded(data, walk, self.options)
            except UnknownStateError:
                continue
        return None

    def remember(self, made: Any) -> None:
        """Keeps a fresh compilation, if everything about it can be found again."""
        entered = sorted({code_digest(f.__code__) for f in made.entered if not is_library(f.__module__)})
        try:
            walk = self._walk(entered)
            data = _data(made, walk)
        except (UnknownStateError, UnstorableError):
            return
        diskcache.write(self._place(entered, walk), data)
        variants = self._variants()
        if entered not in variants:
            diskcache.write(self.key, json.dumps([entered, *variants][:_MOST_VARIANTS]).encode())

    def _variants(self) -> list[list[str]]:
        data = diskcache.read(self.key)
        found: list[list[str]] = [] if data is None else json.loads(data)
        return found

    def _walk(self, entered: Sequence[str]) -> Fingerprint:
        walk = Fingerprint(frozenset(entered))
        walk.add(self.function)
        for value in self.args:
            _walk_argument(walk, value)
        for name, value in self.kwargs.items():
            walk.note(name)
            _walk_argument(walk, value)
        return walk

    def _place(self, entered: Sequence[str], walk: Fingerprint) -> str:
        return diskcache.key("program", self.key, *entered, walk.digest())


def _name(function: Any) -> str:
    """What is called, told without looking at its state."""
    inner = function.__func__ if isinstance(function, MethodType) else function
    if isinstance(inner, FunctionType):
        return code_digest(inner.__code__)
    return f"{type(function).__module__} {type(function).__qualname__}"


def _kind(given: Any) -> Any:
    if hasattr(type(given), "__tensor_type__"):
        return str(given.__tensor_type__)
    if isinstance(given, tuple | list):
        return [type(given).__qualname__, *map(_kind, given)]
    if type(given) is dict:
        return [(repr(k), _kind(v)) for k, v in given.items()]
    return type(given).__qualname__


def _walk_argument(walk: Fingerprint, given: Any) -> None:
    """Tensors count by type, since each call brings others; all else by value."""
    if hasattr(type(given), "__tensor_type__"):
        walk.note(f"tensor {given.__tensor_type__}")
    elif isinstance(given, tuple) or type(given) is list:
        walk.add(type(given))
        walk.note(str(len(given)))
        for each in given:
            _walk_argument(walk, each)
    elif type(given) is dict:
        walk.note(f"dict {len(given)}")
        for key, each in given.items():
            walk.add(key)
            _walk_argument(walk, each)
    else:
        walk.add(given)


def _data(made: Any, walk: Fingerprint) -> bytes:
    """A compilation as a record.

    Raises:
        UnstorableError: it depends on something that the fingerprint does not cover.
    """
    specialised = made.specialised
    unknown = [o for o in specialised.opaque if walk.number(o) is None and not is_library(type(o).__module__)]
    if specialised.ran or unknown:
        raise UnstorableError("something was read that nothing watches")
    program, blobs = program_parts(made.program)
    bound: list[int | None] = []
    for tensor in specialised.bound:
        bound.append(walk.number(tensor))
        if bound[-1] is None:
            blobs.append(_constant(tensor))
    header = {
        "program": program,
        "paths": [stored(tuple(p), walk.number) for p in specialised.arguments],
        "bound": bound,
        "fresh": [(t.asnumpy().dtype.str, t.shape) for t, n in zip(specialised.bound, bound, strict=True) if n is None],
        "updates": list(specialised.updates.items()),
        "results": len(specialised.graph.outputs()),
        "result": stored(specialised.result, walk.number),
        "guards": [_guard(walk, *guard) for guard in specialised.guards],
    }
    return packed(header, blobs)


def _constant(tensor: Any) -> bytes:
    """A tensor that was made while compiling."""
    if getattr(type(tensor), "__is_parameter__", False) or tensor.asnumpy().dtype.kind not in "biufc":
        raise UnstorableError("a Parameter that nothing leads to")
    return bytes(tensor.asnumpy().tobytes())


def _guard(walk: Fingerprint, kind: str, container: Any, key: Any, expected: Any) -> list[Any]:
    """A guard without what it expects: in a process with this fingerprint that is what is there."""
    number = walk.number(container)
    if kind not in _EXPECTED or number is None or (kind == "dict" and not walk.covers(container, key)):
        raise UnstorableError("a guard watches what the fingerprint does not cover")
    return [kind, number, stored(key, walk.number)]


def _loaded(data: bytes, walk: Fingerprint, options: Options) -> Compiled:
    header, blobs = unpacked(data)
    objects = walk.objects
    about = header["program"]
    own = about["objects"] + len(about["built"]) + len(about["constants"])
    program = program_of(about, blobs[:own])
    made = iter(
        TensorBase.from_numpy(np.frombuffer(data, np.dtype(kind)).reshape(shape), copy=True)
        for (kind, shape), data in zip(header["fresh"], blobs[own:], strict=True)
    )
    bound = [next(made) if n is None else objects[n] for n in header["bound"]]
    backend = backends.find(options.backend)
    assert backends.storing(backend), "the key says so"
    execute = backend.load(program, bound)
    paths = [restored(p, objects) for p in header["paths"]]
    result = restored(header["result"], objects)
    run = runnable(execute, paths, result, header["results"], dict(map(tuple, header["updates"])))
    return Compiled(Guards([_watched(objects, *g) for g in header["guards"]]), run)


def _watched(objects: Sequence[Any], kind: str, number: int, key: Any) -> tuple[str, Any, Any, Any]:
    container, key = objects[number], restored(key, objects)
    return kind, container, key, _EXPECTED[kind](container, key)


_EXPECTED: Mapping[str, Callable[[Any, Any], Any]] = {
    "dict": lambda container, key: container.get(key, MISSING),
    "cell": lambda cell, _: cell.cell_contents,
    "len": lambda container, _: len(container),
    "item": lambda container, index: container[index],
    "class": lambda cls, name: next((vars(c)[name] for c in cls.__mro__ if name in vars(c)), MISSING),
}
"""What each kind of guard finds now."""
