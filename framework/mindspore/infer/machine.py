"""The abstract machine: evaluates the nodes of untyped graphs in order and emits typed ones.

What each kind of node and each callable means is registered by the other modules of this room; the machine holds the state they share.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mindspore.base.dtypes import DType
from mindspore.base.errors import Location
from mindspore.infer.emit import Emitter
from mindspore.infer.guards import GuardRecorder
from mindspore.infer.heap import Heap
from mindspore.infer.language import Unassigned
from mindspore.infer.values import EFFECTS, NEVER, Abstract, Attribute, Frame, Known, Slot, Unusable
from mindspore.ir.graph import NO_ATTRS, TOKEN, Apply, Constant, Graph, Node
from mindspore.ir.types import TensorType, TokenType

MAX_DEPTH = 1000
Rule = Callable[["Machine", Frame, Apply], Abstract]
CallRule = Callable[["Machine", tuple[Abstract, ...], Mapping[str, Abstract]], Abstract]
Fold = Callable[[str, tuple[Abstract, ...]], tuple[Abstract, ...]]
Parse = Callable[[Any], Graph]
Expanders = Mapping[str, Callable[..., Any]]

rules: dict[Any, Rule] = {}
"""How each operation of `language` is evaluated."""
builtin_calls: dict[Any, CallRule] = {}
"""Python callables with a meaning of their own in graphs."""


dispatchers: dict[str, Callable[..., Abstract]] = {}
"""The two operations that every rule may need: ``call`` and ``attribute``."""


def evaluates(*ops: Any) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        rules.update(dict.fromkeys(ops, rule))
        return rule

    return register


@dataclass(slots=True)
class HookScope:
    """Hooks on tensors of one function that is differentiated, whose nodes are made in the scope at `depth`.

    For each tensor: the nodes of its hooks, the first one last in the way of the gradient, and the result that readers of the tensor read.
    """

    depth: int
    entries: dict[Node, tuple[list[Apply], Node]] = field(default_factory=dict)


class Ended(BaseException):
    """What is being evaluated raises whenever it runs; its effect is emitted, nothing follows."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far an evaluation has come."""

    stack: int
    heap: tuple[int, int]
    place: tuple[Location | None, int]
    branches: int
    gradients: int
    hooks: int
    fold: Fold | None
    tries: int
    recursive_calls: int


class UnwindingError(Exception):
    """Not an error of the program: takes an evaluation back to an activation that goes on in another way."""


Site = tuple[Any, ...]
"""A branch that is met while the body of a ``try`` is evaluated: where it is, and how often it was met before."""


@dataclass(slots=True)
class Trial:
    """One way through the body of a ``try``.

    Attributes:
        branches: how many conditions known only at run time surround the ``try``.
        scopes: how many scopes of the emitter do.
        decisions: how branches of which an arm raises are taken on this way; None where no branch may be decided so.
        met: how often each place was.
        taken: how many branches were decided.
    """

    branches: int
    scopes: int
    decisions: Mapping[Site, bool] | None = None
    met: dict[Site, int] = field(default_factory=dict)
    taken: int = 0

    def site(self, stack: list[Frame]) -> Site:
        place = tuple(frame.node for frame in stack)
        self.met[place] = count = self.met.get(place, 0) + 1
        return (*place, count)


class SplitError(UnwindingError):
    """An arm of the branch at `site` raises what a ``try`` around it may catch: both ways go through the rest of its body apart."""

    def __init__(self, trial: Trial, site: Site, condition: Node) -> None:
        super().__init__()
        self.trial, self.site, self.condition = trial, site, condition


class ThrownError(Exception):
    """An exception of the program with values in it that only run time knows."""

    def __init__(self, value: Abstract) -> None:
        super().__init__()
        self.value = value


class PendingError(UnwindingError):
    """A value is not known yet: that of a recursive call, while the ways to end without it are looked for."""

    def __init__(self, machine: Machine, recursion: Any, depth: int) -> None:
        super().__init__()
        self.recursion, self.depth = recursion, depth
        self.stack = [(f, f.node) for f in machine.stack]

    def show(self, machine: Machine) -> None:
        """Puts the activations back, for the message of an error."""
        for frame, node in self.stack:
            frame.node = node
        machine.stack[:] = [frame for frame, _ in self.stack]


class Machine:
    """State of one specialisation.

    Attributes:
        stack: the activations, from the outermost call to the current one.
        branches: how many conditions known only at run time surround the current node.
        token: the effect token with which the graph begins.
        gradients: how many transformations that differentiate surround it.
        hooks: for each of these, the hooks registered on its tensors.
        tries: the way that is taken through each ``try`` around the current node.
        unrolled: long loops that must be unrolled.
        handled: the exceptions whose handlers are being evaluated.
        assumed: the conditions known only at run time that surround the current node, and how they were decided on the way to it.
        constants: tensors that the program makes while it is compiled, by id.
        numbers: tensors of the graph that are Python numbers in the program: text shows them so.
        sums: integers of the graph as sums of multiples of others.
        activations: those of generator functions that were called; `running`: those whose code is being evaluated.
        checks: how many branches were written of which one arm raises.
        splitting: whether loops are unrolled whose turns raise for a ``try`` around them; else they run at run time.
        marked: containers that `mutable` marks as inputs.
        fold: inside the body of a run-time loop, turns every way to end it into the loop's next state.
        calls: how many calls were followed into.
        recursive_calls: how many calls of shared graphs were written.
        compute_type: the floating type as which Parameters and tensors from outside are read; None for their own.
        reusable: what `reuse` knows about calls made before.
    """

    def __init__(self, parse: Parse, expanders: Expanders, max_depth: int = MAX_DEPTH) -> None:
        self.parse = parse
        self.expanders = expanders
        self.max_depth = max_depth
        self.emitter = Emitter(trace=self.place)
        self.heap = Heap()
        self.guards = GuardRecorder()
        self.stack: list[Frame] = []
        self.slots: dict[int, Slot] = {}
        self.constants: dict[int, Any] = {}
        self.attributes: dict[tuple[int, str], Attribute] = {}
        self.branches = 0
        self.gradients = 0
        self.hooks: list[HookScope] = []
        self.tries: list[Trial] = []
        self.unrolled: set[Node] = set()
        self.handled: list[tuple[Abstract, Exception]] = []
        self.root = ""
        self.fold: Fold | None = None
        self.marked: set[Abstract] = set()
        self.assumed: dict[Node, bool] = {}
        self.numbers: set[Node] = set()
        self.sums: dict[Node, tuple[dict[Node, int], int]] = {}
        self.checks = 0
        self.splitting = True
        self.calls = 0
        self.activations: list[Any] = []
        self.running: list[Any] = []
        self.token = Apply(TOKEN, (), type=TokenType())
        self.heap.set(EFFECTS, self.token)
        self.recursive_calls = 0
        self.compute_type: DType | None = None
        self.reusable: dict[Hashable, list[Any]] = {}

    def checkpoint(self) -> Checkpoint:
        """The state to which `restore` goes back when an evaluation is given up."""
        emitter = self.emitter
        place = emitter.location, len(emitter.scopes)
        return Checkpoint(
            len(self.stack),
            self.heap.moment(),
            place,
            self.branches,
            self.gradients,
            len(self.hooks),
            self.fold,
            len(self.tries),
            self.recursive_calls,
        )

    def restore(self, before: Checkpoint) -> None:
        del self.stack[before.stack :]
        self.heap.back_to(before.heap)
        self.emitter.location, scopes = before.place
        del self.emitter.scopes[scopes:]
        del self.tries[before.tries :]
        self.branches, self.gradients, self.fold = before.branches, before.gradients, before.fold
        del self.hooks[before.hooks :]
        self.recursive_calls = before.recursive_calls

    @property
    def decided(self) -> int:
        """How many branches were taken in one way because an arm raises."""
        return self.checks + sum(trial.taken for trial in self.tries)

    def place(self) -> Location | None:
        """Where the evaluation is, with the calls that led there."""
        found = [f.node.location for f in self.stack if f.node is not None and f.node.location is not None]
        return replace(found[-1], callers=tuple(found[:-1])) if found else self.emitter.location

    def run(self, graph: Graph, frame: Frame, arguments: tuple[Abstract, ...] = ()) -> Abstract:
        """The value of a block graph in `frame`."""
        values = frame.values
        for parameter, argument in zip(graph.parameters, arguments, strict=True):
            values[parameter] = argument
        output = graph.result
        emitter = self.emitter
        for node in output.inputs[:-1]:
            frame.node = node
            emitter.location = node.location
            values[node] = rules[node.op](self, frame, node)  # type: ignore[attr-defined,arg-type]
        return self.peek(frame, output.inputs[-1])

    def call(
        self, function: Abstract, args: tuple[Abstract, ...], kwargs: Mapping[str, Abstract] = NO_ATTRS
    ) -> Abstract:
        """What calling `function` gives; `calls` registers how."""
        return dispatchers["call"](self, function, args, kwargs)

    def attribute(self, owner: Abstract, name: str) -> Abstract:
        """``owner.name``; `attributes` registers how."""
        return dispatchers["attribute"](self, owner, name)

    def folding(self, fold: Fold | None, run: Callable[[], Abstract]) -> Abstract:
        """`run` with another meaning of ending a loop body or function."""
        before, self.fold = self.fold, fold
        result = run()
        self.fold = before
        return result

    def attempted(self, run: Callable[[], Abstract]) -> Abstract:
        """`run()`, or `NEVER` when it always raises; what it wrote until then stays written."""
        before, layers = self.checkpoint(), len(self.heap.layers)
        try:
            return run()
        except Ended:
            while len(self.heap.layers) > layers:
                self.heap.merge(self.heap.pop())
            while len(self.emitter.scopes) > before.place[1]:
                self.emitter.adopt(self.emitter.close())
            now = self.checkpoint()
            self.restore(replace(before, heap=now.heap, recursive_calls=now.recursive_calls))
            return NEVER

    def peek(self, frame: Frame, node: Node) -> Abstract:
        """The value of `node`, which may be a variable without one."""
        current: Frame | None = frame
        while current is not None:
            found = current.values.get(node)
            if found is not None:
                return found
            current = current.parent
        assert isinstance(node, Constant), f"{node} is evaluated before its users"
        if isinstance(node.value, Unassigned):
            return Unusable(f"the variable {node.value.name!r} is used before it is assigned")
        return Known(node.value)

    def value(self, frame: Frame, node: Node) -> Abstract:
        """The value of `node` for use. UnboundLocalError when it is a variable without a value."""
        found = self.peek(frame, node)
        if isinstance(found, Unusable):
            raise found.error(found.why)
        return found

    def values(self, frame: Frame, nodes: tuple[Node, ...]) -> tuple[Abstract, ...]:
        return tuple(self.value(frame, n) for n in nodes)


_tensor_classes: dict[type, bool] = {}


def _may_be_tensor(cls: type) -> bool:
    found = _tensor_classes.get(cls)
    if found is None:
        found = _tensor_classes[cls] = hasattr(cls, "__tensor_type__")
    return found


def tensor_type(value: Abstract) -> TensorType | None:
    """The type when `value` is a tensor: a typed node, or an outside tensor object."""
    if isinstance(value, Node):
        return value.type if isinstance(value.type, TensorType) else None
    if isinstance(value, Known) and _may_be_tensor(type(value.value)):
        kind = value.value.__tensor_type__
        return kind if isinstance(kind, TensorType) else None
    return None
