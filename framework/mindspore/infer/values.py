"""What inference knows about a value: a Python object, a typed node (a tensor), or a structure of these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from mindspore.base.errors import Location
from mindspore.infer.language import Signature
from mindspore.ir.graph import Graph, Node


class Value:
    """Base of the values that are not typed nodes. Compared by identity."""

    __slots__ = ()


@dataclass(slots=True, eq=False)
class Known(Value):
    """A Python object known while compiling."""

    value: Any


@dataclass(slots=True, eq=False)
class Sequence(Value):
    """A tuple with at least one element that is not a plain Python object; ``cls`` may be a namedtuple class."""

    elements: tuple[Abstract, ...]
    cls: type = tuple


@dataclass(slots=True, eq=False)
class List(Value):
    """A list made while compiling. Its elements are on the heap, so that changes in branches can be joined."""


@dataclass(slots=True, eq=False)
class Iterator(List):
    """What ``iter``, ``zip``, ``map``, ... give; the elements that are left are on the heap."""


@dataclass(slots=True, eq=False)
class Endless(Value):
    """An iterator without end: its element at each position. The position, a tuple of one Known, is on the heap."""

    element: Callable[[int], Abstract]


@dataclass(slots=True, eq=False)
class Generator(Value):
    """A call of a function with ``yield``. How many elements were taken, a tuple of one Known, is on the heap."""

    activation: Any


@dataclass(slots=True, eq=False)
class Dict(Value):
    """A dict made while compiling; its items (Python key -> value) are on the heap."""


@dataclass(slots=True, eq=False)
class Set(Dict):
    """A set made while compiling; its elements, Python objects, are on the heap as keys."""


@dataclass(slots=True, eq=False)
class Instance(Value):
    """An object of a class with Python source; its attributes (name -> value) are on the heap.

    `fixed`: why it must not change; empty when it may.
    """

    cls: type
    fixed: str = ""


@dataclass(slots=True, eq=False)
class View(Dict):
    """``object.__dict__``: on the heap it stands in the place of its object, so that a change of one is one of the other."""

    of: Instance

    def __eq__(self, other: object) -> bool:
        return other is self.of or (isinstance(other, View) and other.of is self.of)

    def __hash__(self) -> int:
        return hash(self.of)


@dataclass(slots=True, eq=False)
class Box(Value):
    """A variable shared between functions; its value is on the heap."""


@dataclass(slots=True, eq=False)
class Attribute(Box):
    """An attribute that the program assigns, of an object outside the graph; its value is on the heap."""

    object: Any
    name: str


@dataclass(slots=True, eq=False)
class Unread:
    """On the heap: content that is looked up, and depended on, when it is first read."""

    look_up: Callable[[], Any]


@dataclass(slots=True, eq=False)
class Slot(Value):
    """A Parameter or tensor object outside the graph; its current version, a node, is on the heap."""

    object: Any
    node: Node


@dataclass(slots=True, eq=False)
class Frame:
    """One activation of a function: values of its nodes, and what global names mean in it.

    Attributes:
        skeleton: of the arguments, once it was asked for.
        branches: how many conditions known only at run time surround the call.
        recursion: the `Recursion` whose shared graph this activation makes.
    """

    function: FunctionType
    name: str
    parent: Frame | None = None
    values: dict[Node, Abstract] = field(default_factory=dict)
    node: Node | None = None
    graph: Graph | None = None
    arguments: tuple[Abstract, ...] = ()
    skeleton: Any = None
    branches: int = 0
    recursion: Any = None


@dataclass(slots=True, eq=False)
class Closure(Value):
    """A function defined in compiled code, with the activation that it closes over."""

    graph: Graph
    signature: Signature
    defaults: Mapping[str, Abstract]
    frame: Frame


@dataclass(slots=True, eq=False)
class Method(Value):
    """A function whose first argument is fixed."""

    function: Abstract
    self: Abstract


@dataclass(slots=True, eq=False)
class Partial(Value):
    """functools.partial over values that are not all Python objects."""

    function: Abstract
    args: tuple[Abstract, ...]
    kwargs: Mapping[str, Abstract]


@dataclass(slots=True, eq=False)
class Transformed(Value):
    """A transformation (``grad``) applied to a function value."""

    kind: str
    function: Abstract
    options: Mapping[str, Any]


@dataclass(slots=True, eq=False)
class Choice(Value):
    """A function or object that only run time knows: `then` where the Bool[] node `flag` is true, `other` elsewhere."""

    flag: Node
    then: Abstract
    other: Abstract


@dataclass(slots=True, eq=False)
class Slice(Value):
    start: Abstract
    stop: Abstract
    step: Abstract


@dataclass(slots=True, eq=False)
class Masked(Value):
    """``x[mask]`` while ``x[mask] += value`` is computed: `region` is the part that the mask may take, whole."""

    owner: Abstract
    index: Abstract
    region: Abstract


@dataclass(slots=True, eq=False)
class Range(Value):
    """A range with a bound that is known only at run time."""

    start: Abstract
    stop: Abstract
    step: int


@dataclass(slots=True, eq=False)
class Position(Value):
    """A Python number, made from the counter of a rolled loop, that `node` (Int64[], or Float64[] if `real`) holds at run time."""

    node: Node
    low: Any
    high: Any
    real: bool = False
    origin: object = None
    offset: int = 0
    """The number is that of the position with this origin plus `offset`; None: made in another way."""


@dataclass(slots=True, eq=False)
class Super(Value):
    """``super()`` of `cls` for `self`."""

    cls: type
    self: Abstract


@dataclass(slots=True, eq=False)
class Deferred(Value):
    """What `function` will give for these values when the graph runs: a text or an exception, or a container in one."""

    cls: type
    function: Callable[..., Any]
    args: tuple[Abstract, ...]
    kwargs: Mapping[str, Abstract]


@dataclass(slots=True, eq=False)
class Unusable(Value):
    """A variable without one value; reading it raises `error` with `why`."""

    why: str
    error: type[Exception] = UnboundLocalError


@dataclass(slots=True, eq=False)
class Missing(Value):
    """The value of a case that is not taken: any other value may stand in its place."""


@dataclass(slots=True, eq=False)
class Case:
    """One way in which a suite may end: the Bool[] node that says so (None: always) and the values handed on."""

    flag: Node | None
    values: tuple[Abstract, ...]
    location: Location | None


@dataclass(slots=True, eq=False)
class Completion(Value):
    """How control leaves a suite: the possible cases by name (`language.NEXT`, ...)."""

    cases: dict[str, Case]


Abstract = Value | Node
NONE = Known(None)
MISSING = Missing()
NEVER = Completion({})
"""What never ends, because it raises: no way leads on."""
EFFECTS = Box()
"""The key of the newest effect token."""


@dataclass(slots=True, eq=False)
class FunctionHandle:
    """Stands for a function of the graph where Python code makes a transformation of it."""

    function: Abstract

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("a function defined in a graph cannot be run as Python code")
