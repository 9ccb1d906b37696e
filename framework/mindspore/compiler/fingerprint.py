"""What a compilation may depend on outside the graph, as one digest that is the same in another process.

Inference reads code, globals, closures and attributes. A `Fingerprint` walks over all of these from the called object: whatever is
reachable, whether it was read or not, and gives each object a number. Functions that inference did not enter are told by their code alone,
so that the walk stays near the program. What it cannot describe raises `UnknownStateError`; then nothing is taken from the cache.
"""

from __future__ import annotations

import builtins
import functools
import hashlib
import types
from collections import OrderedDict, deque, namedtuple
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import numpy as np

from mindspore.base.protocols import CALL_STYLE, COMPILATIONS
from mindspore.compiler.identity import code_digest, in_library, is_library, names_in, python_made, source_digest
from mindspore.ir.operator import Operator, find

MOST_OBJECTS = 200_000
MOST_BYTES = 64 << 20
"""Of arrays whose content counts."""
_FIELD: type = type(vars(namedtuple("_Example", "field"))["field"])
_PLAIN = (type(None), bool, int, float, complex, str, bytes, type(...), type(NotImplemented))
_UNTOLD = frozenset(("__dict__", "__weakref__", "__doc__", "__module__", "__annotations__", "__annotate__"))
_RUN_BY_PYTHON = frozenset((
    "__bool__", "__contains__", "__eq__", "__float__", "__format__", "__ge__", "__getitem__", "__gt__", "__hash__", "__index__", "__int__",
    "__iter__", "__le__", "__len__", "__lt__", "__ne__", "__next__", "__repr__", "__str__", "__add__", "__mul__", "__neg__", "__sub__",
))  # fmt: skip
"""Methods that Python may call on constants while compiling."""


class UnknownStateError(Exception):
    """Something that a compilation may depend on, but that has no description."""


def _from_factories(cls: type) -> list[types.FunctionType]:
    """Functions that a class got from other functions: guards watch the cells of their closures."""
    held = (getattr(each, "__func__", each) for each in vars(cls).values())
    return [f for f in held if isinstance(f, types.FunctionType) and f.__closure__ and "<locals>" in f.__qualname__]


class Fingerprint:
    """The walk. ``entered``: digests of the code of functions that inference enters.

    Attributes:
        objects: what was met, in an order that depends on the state alone.
    """

    def __init__(self, entered: Collection[str]) -> None:
        self.entered = entered
        self.objects: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._tokens: list[str] = []
        self._queue: deque[Any] = deque()
        self._names: set[str] = set()
        self._spaces: dict[int, tuple[dict[str, Any], set[str]]] = {}
        self._modules: list[types.ModuleType] = []
        self._run: set[int] = set()
        self._bytes = 0

    def add(self, *roots: Any) -> None:
        """Walks over everything that `roots` reach."""
        self._tokens.extend(map(self.told, roots))
        while self._queue or self._look_into_modules():
            each = self._queue.popleft()
            self._tokens += (f"#{self._numbers[id(each)]}", *self._described(each))

    def note(self, *facts: str) -> None:
        """Adds text to the digest."""
        self._tokens += facts

    def digest(self) -> str:
        return hashlib.sha256("\x1f".join(self._tokens).encode("utf-8", "surrogatepass")).hexdigest()

    def number(self, value: Any) -> int | None:
        """The number of an object that was met."""
        return self._numbers.get(id(value))

    def covers(self, container: Any, key: Any) -> bool:
        """Whether what `container` holds under `key` is part of the digest."""
        space = self._spaces.get(id(container))
        return key in space[1] if space is not None else id(container) in self._numbers

    def told(self, value: Any) -> str:
        """A plain value, or the number of an object, which is walked over later."""
        if type(value) in _PLAIN:
            return f"{type(value).__name__} {value!r}"
        return f"#{self._numbered(value)}"

    def _numbered(self, value: Any, queued: bool = True) -> int:
        number = self._numbers.setdefault(id(value), len(self.objects))
        if number == len(self.objects):
            if number >= MOST_OBJECTS:
                raise UnknownStateError("more objects than are worth looking at")
            self.objects.append(value)
            if queued:
                self._queue.append(value)
        return number

    def _all(self, values: Iterable[Any]) -> list[str]:
        return list(map(self.told, values))

    def _described(self, value: Any) -> list[str]:
        describe = _DESCRIPTIONS.get(type(value))
        if describe is not None:
            return describe(self, value)
        if isinstance(value, type):
            return self._class(value)
        if hasattr(type(value), "__tensor_type__"):
            return self._tensor(value)
        if isinstance(value, np.generic | np.dtype):
            return [f"{type(value).__name__} {value!r}"]
        if type(value).__module__.partition(".")[0] == "numpy" and hasattr(value, "__name__"):
            return [f"numpy {value.__name__}"]
        return self._object(value)

    # Python's own kinds

    def _sequence(self, value: Any) -> list[str]:
        return [f"{type(value).__name__} {len(value)}", *self._all(value)]

    def _set(self, value: Any) -> list[str]:
        if not all(type(v) in _PLAIN for v in value):
            raise UnknownStateError("a set of objects has no order of its own")
        return [f"set {len(value)}", *sorted(self._all(value))]

    def _mapping(self, value: Mapping[Any, Any]) -> list[str]:
        """Items but for compilations, and the number that counts changes of hooks, which are items themselves."""
        items = [
            (k, v)
            for k, v in value.items()
            if not (isinstance(k, str) and (k == CALL_STYLE or k.startswith(COMPILATIONS)))
        ]
        return [f"dict {len(items)}", *(t for k, v in items for t in (self.told(k), self.told(v)))]

    def _slice(self, value: slice) -> list[str]:
        return ["slice", *self._all((value.start, value.stop, value.step))]

    def _function(self, value: types.FunctionType) -> list[str]:
        library, nested = in_library(value), "<locals>" in value.__qualname__
        code = value.__code__
        told = [f"function {value.__module__} {value.__qualname__} {code.co_firstlineno}"]
        if library and not nested:
            return told
        digest = code_digest(code)
        if library or digest in self.entered or id(value) in self._run:
            told += [*self._all(value.__defaults__ or ()), self.told(value.__kwdefaults__), "closure"]
            told += [*self._all(value.__closure__ or ()), self.told(value.__dict__)]
        if not library:
            told.append(digest)
            if digest in self.entered or id(value) in self._run:
                told += self._surroundings(value)
        return told

    def _surroundings(self, value: types.FunctionType) -> list[str]:
        """The globals that a function names, and its source."""
        names = names_in(value.__code__)
        self._names |= names
        run = id(value) in self._run
        for name in sorted(names & value.__globals__.keys()) if run else ():
            self._executed(value.__globals__[name])
        return [source_digest(value), *self._space(value.__globals__, names)]

    def _space(self, space: dict[str, Any], names: Iterable[str]) -> list[str]:
        """The given names of a namespace of which only those count that somebody asks for."""
        number = self._numbered(space, queued=False)
        done = self._spaces.setdefault(id(space), (space, set()))[1]
        fresh = sorted(set(names) - done)
        done.update(fresh)
        told = [f"names of #{number} {space.get('__name__')!r}"]
        for name in fresh:
            if name in space:
                told += (name, self.told(space[name]))
            elif not hasattr(builtins, name):
                told += (name, "absent")
        return told

    def _executed(self, value: Any) -> None:
        """`value` may be run by Python itself: what it reads counts too."""
        if isinstance(value, types.ModuleType) and not is_library(value.__name__):
            raise UnknownStateError(f"{value.__name__} is used by code that Python runs while compiling")
        if isinstance(value, types.FunctionType) and not is_library(value.__module__) and id(value) not in self._run:
            self._run.add(id(value))
            if id(value) in self._numbers:
                self._queue.append(value)

    def _module(self, value: types.ModuleType) -> list[str]:
        if not is_library(value.__name__):
            self._modules.append(value)
        return [f"module {value.__name__}"]

    def _look_into_modules(self) -> bool:
        """Attributes of modules by all names that the program uses; whether that found something new."""
        before = len(self.objects)
        for module in self._modules:
            self._tokens += self._space(vars(module), self._names)
        return len(self.objects) > before and bool(self._queue)

    def _method(self, value: types.MethodType) -> list[str]:
        return ["method", *self._all((value.__func__, value.__self__))]

    def _cell(self, value: types.CellType) -> list[str]:
        try:
            return ["cell", self.told(value.cell_contents)]
        except ValueError:
            return ["cell without value"]

    def _property(self, value: property) -> list[str]:
        return ["property", *self._all((value.fget, value.fset, value.fdel))]

    def _wrapped(self, value: Any) -> list[str]:
        return [type(value).__name__, self.told(value.__func__)]

    def _partial(self, value: functools.partial[Any]) -> list[str]:
        return ["partial", *self._all((value.func, value.args, value.keywords))]

    def _builtin(self, value: Any) -> list[str]:
        owner = getattr(value, "__self__", None)
        told = [f"builtin {getattr(value, '__module__', None)} {value.__qualname__}"]
        return told if owner is None or isinstance(owner, types.ModuleType) else [*told, self.told(owner)]

    def _descriptor(self, value: Any) -> list[str]:
        return [f"descriptor {value.__qualname__}"]

    # Classes and objects

    def _class(self, value: type) -> list[str]:
        told = [f"class {value.__module__} {value.__qualname__}"]
        if in_library(value) or not python_made(value):
            return told + self._all(_from_factories(value))
        told += [self.told(type(value)), *self._all(value.__mro__[1:])]
        for name in sorted(vars(value).keys() - _UNTOLD):
            held = vars(value)[name]
            if name in ("__getattr__", "__getattribute__") or self._is_descriptor(held):
                raise UnknownStateError(f"{value.__qualname__}.{name} decides what attributes are")
            if name in _RUN_BY_PYTHON:
                self._executed(held)
            told += (name, self.told(held))
        return told

    @staticmethod
    def _is_descriptor(held: Any) -> bool:
        return hasattr(type(held), "__get__") and not is_library(type(held).__module__) and not isinstance(held, type)

    def _object(self, value: Any) -> list[str]:
        cls = type(value)
        if getattr(cls, "__unseen__", False):
            return ["unseen"]
        operator = value if isinstance(value, Operator) else getattr(value, "__operator__", None)
        if isinstance(operator, Operator) and is_library(cls.__module__) and not hasattr(cls, "__operator__"):
            if operator is not find(operator.name):
                raise UnknownStateError(f"{operator} is not in the registry")
            return [f"operator {operator.name}"]
        if not all(python_made(c) or c in _BASES for c in cls.__mro__):
            raise UnknownStateError(f"a {cls.__module__}.{cls.__qualname__} may hold anything")
        told = [self.told(cls)]
        for base, describe in _BASES.items():
            if base is not object and isinstance(value, base):
                told += describe(self, value)
        if isinstance(value, dict):
            told.append(self.told(getattr(value, "default_factory", None)))
        return [*told, *self._attributes(value)]

    def _attributes(self, value: Any) -> list[str]:
        told = [self.told(value.__dict__)] if hasattr(value, "__dict__") else []
        for slot in (s for c in type(value).__mro__ for s in _slots(c)):
            told += (slot, self.told(getattr(value, slot, ...)))
        return told

    def _tensor(self, value: Any) -> list[str]:
        told = [f"tensor {value.__tensor_type__}", self.told(type(value)), *self._attributes(value)]
        if getattr(type(value), "__is_parameter__", False):
            return told
        return [*told, self._content(value.asnumpy())]

    def _array(self, value: np.ndarray[Any, Any]) -> list[str]:
        if value.dtype.kind not in "biufcSUmM":
            raise UnknownStateError(f"an array of {value.dtype}")
        return [f"array {value.dtype.str} {value.shape}", self._content(value)]

    def _content(self, array: np.ndarray[Any, Any]) -> str:
        self._bytes += array.nbytes
        if self._bytes > MOST_BYTES:
            raise UnknownStateError("more data than is worth reading")
        return hashlib.sha256(array.tobytes()).hexdigest()


def _slots(cls: type) -> list[str]:
    given = vars(cls).get("__slots__", ())
    names = (given,) if isinstance(given, str) else given
    return [_mangled(cls, n) for n in names if n not in ("__dict__", "__weakref__")]


def _mangled(cls: type, name: str) -> str:
    private = name.startswith("__") and not name.endswith("__")
    return f"_{cls.__name__.lstrip('_')}{name}" if private else name


def _plain(walk: Fingerprint, value: Any) -> list[str]:
    base = next(b for b in (bool, int, float, complex, str, bytes) if isinstance(value, b))
    return [f"{base.__name__} {base.__repr__(value)}"]


_Description = Callable[[Fingerprint, Any], list[str]]
_DESCRIPTIONS: Mapping[type, _Description] = {
    tuple: Fingerprint._sequence,
    list: Fingerprint._sequence,
    set: Fingerprint._set,
    frozenset: Fingerprint._set,
    dict: Fingerprint._mapping,
    OrderedDict: Fingerprint._mapping,
    types.MappingProxyType: Fingerprint._mapping,
    range: lambda walk, value: [repr(value)],
    slice: Fingerprint._slice,
    types.FunctionType: Fingerprint._function,
    types.MethodType: Fingerprint._method,
    types.CellType: Fingerprint._cell,
    types.ModuleType: Fingerprint._module,
    types.BuiltinFunctionType: Fingerprint._builtin,
    types.MethodWrapperType: Fingerprint._builtin,
    types.MethodDescriptorType: Fingerprint._descriptor,
    types.WrapperDescriptorType: Fingerprint._descriptor,
    types.ClassMethodDescriptorType: Fingerprint._descriptor,
    types.MemberDescriptorType: Fingerprint._descriptor,
    types.GetSetDescriptorType: Fingerprint._descriptor,
    _FIELD: lambda walk, value: [f"field {value.__reduce__()[1][0]}"],
    property: Fingerprint._property,
    staticmethod: Fingerprint._wrapped,
    classmethod: Fingerprint._wrapped,
    functools.partial: Fingerprint._partial,
    np.ndarray: Fingerprint._array,
}
_BASES: Mapping[type, _Description] = {
    object: lambda walk, value: [],
    tuple: lambda walk, value: [f"{len(value)}", *walk._all(tuple.__iter__(value))],
    list: lambda walk, value: [f"{len(value)}", *walk._all(list.__iter__(value))],
    dict: lambda walk, value: walk._mapping(dict(dict.items(value))),
    OrderedDict: lambda walk, value: [],
    int: _plain,
    float: _plain,
    str: _plain,
    bytes: _plain,
}
"""Built-in classes of which objects may be: what they hold besides attributes."""
