"""Compilations as bytes: JSON for the structure, and raw data behind it. Nothing in them is executed or unpickled when they are read."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mindspore.backends import Program
from mindspore.ir.effects import Output


class UnstorableError(Exception):
    """A value that has no form on disk."""


def packed(header: Mapping[str, Any], blobs: Sequence[bytes]) -> bytes:
    """One record."""
    text = json.dumps({**header, "sizes": [len(b) for b in blobs]}).encode()
    return b"".join((len(text).to_bytes(8, "little"), text, *blobs))


def unpacked(data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """The inverse of `packed`."""
    end = 8 + int.from_bytes(data[:8], "little")
    header: dict[str, Any] = json.loads(data[8:end])
    blobs = []
    for size in header["sizes"]:
        blobs.append(data[end : end + size])
        end += size
    return header, blobs


def stored(value: Any, number: Callable[[Any], int | None]) -> Any:
    """`value` for JSON: constants, containers, `Output`, and other objects by the number that `number` gives them.

    Raises:
        UnstorableError: an object without a number.
    """
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is float:
        return ["float", value.hex()]
    if kind is complex:
        return ["complex", value.real.hex(), value.imag.hex()]
    if kind is bytes:
        return ["bytes", b64encode(value).decode()]
    if kind is Output:
        return ["output", value.index]
    if kind in (tuple, list):
        return [kind.__name__, *(stored(v, number) for v in value)]
    if kind is dict:
        return ["dict", *([stored(k, number), stored(v, number)] for k, v in value.items())]
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return ["namedtuple", stored(kind, number), *(stored(v, number) for v in value)]
    known = number(value)
    if known is None:
        raise UnstorableError(f"a {kind.__qualname__} belongs to no object that the next process can find")
    return ["object", known]


def restored(value: Any, objects: Sequence[Any]) -> Any:
    """The inverse of `stored`, with `objects` in the order of their numbers."""
    if not isinstance(value, list):
        return value
    kind, *rest = value
    if kind in _PLAIN:
        return _PLAIN[kind](*rest)
    if kind == "object":
        return objects[rest[0]]
    if kind == "dict":
        return {restored(k, objects): restored(v, objects) for k, v in rest}
    parts = [restored(v, objects) for v in rest]
    if kind == "namedtuple":
        return parts[0](*parts[1:])
    return tuple(parts) if kind == "tuple" else parts


_PLAIN: Mapping[str, Callable[..., Any]] = {
    "float": float.fromhex,
    "complex": lambda real, imag: complex(float.fromhex(real), float.fromhex(imag)),
    "bytes": b64decode,
    "output": Output,
}


def program_parts(program: Program) -> tuple[dict[str, Any], list[bytes]]:
    """A program as JSON and blobs: its objects, those of its own kernels, its constants."""
    header = {
        "arguments": program.arguments, "outputs": program.outputs, "signature": program.signature, "entry": program.entry,
        "objects": len(program.objects), "kernels": program.kernels, "built": list(program.built),
        "constants": [(c.dtype.str, c.shape) for c in program.constants],
        "arena_bytes": program.arena_bytes, "loops": program.loops, "recursive": program.recursive, "places": program.places,
    }  # fmt: skip
    if program.sites:
        raise UnstorableError("effects hold Python objects")
    if any(not np.dtype(c.dtype.str) == c.dtype or c.dtype.hasobject for c in program.constants):
        raise UnstorableError("a constant of a type that numpy does not have")
    return header, [*program.objects, *program.built.values(), *(c.tobytes() for c in program.constants)]


def program_of(header: Mapping[str, Any], blobs: Sequence[bytes]) -> Program:
    """The inverse of `program_parts`."""
    first, last = header["objects"], header["objects"] + len(header["built"])
    constants = zip(header["constants"], blobs[last:], strict=True)
    return Program(
        header["arguments"], tuple(tuple(tuple(p) if isinstance(p, list) else p for p in o) for o in header["outputs"]),
        tuple((code, tuple(shape)) for code, shape in header["signature"]), header["entry"], tuple(blobs[:first]),
        tuple(header["kernels"]), dict(zip(header["built"], blobs[first:last], strict=True)),
        tuple(np.frombuffer(data, np.dtype(kind)).reshape(shape) for (kind, shape), data in constants),
        header["arena_bytes"], header["loops"], header["recursive"], places=tuple(header["places"]),
    )  # fmt: skip
