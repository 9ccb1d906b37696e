"""The abstract machine: evaluates the nodes of untyped graphs in order and emits typed ones.

What each kind of node and each callable means is registered by the other modules of this room; the machine holds the state they share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mindspore.infer.emit import Emitter
from mindspore.infer.guards import GuardRecorder
from mindspore.infer.heap import Heap
from mindspore.infer.language import Unassigned
from mindspore.infer.values import EFFECTS, NEVER, Abstract, Frame, Known, Slot, Unusable
from mindspore.ir.graph import NO_ATTRS, TOKEN, Apply, Constant, Graph, Node
from mindspore.ir.types import TensorType, TokenType

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


class Ended(BaseException):
    """What is being evaluated raises whenever it runs; its effect is emitted, nothing follows."""


class Machine:
    """State of one specialisation.

    Attributes:
        stack: the activations, from the outermost call to the current one.
        branches: how many conditions known only at run time surround the current node.
        token: the effect token with which the graph begins.
        gradients: how many transformations that differentiate surround it.
        tries: for each ``try`` around the current node, the number of such conditions around it.
        handled: the exceptions whose handlers are being evaluated.
        fold: inside the body of a run-time loop, turns every way to end it into the loop's next state.
    """

    def __init__(self, parse: Parse, expanders: Expanders) -> None:
        self.parse = parse
        self.expanders = expanders
        self.emitter = Emitter()
        self.heap = Heap()
        self.guards = GuardRecorder()
        self.stack: list[Frame] = []
        self.slots: dict[int, Slot] = {}
        self.branches = 0
        self.gradients = 0
        self.tries: list[int] = []
        self.handled: list[Exception] = []
        self.root = ""
        self.fold: Fold | None = None
        self.token = Apply(TOKEN, (), type=TokenType())
        self.heap.set(EFFECTS, self.token)

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
        depth, branches, fold, location = len(self.stack), self.branches, self.fold, self.emitter.location
        gradients = self.gradients
        layers, scopes = len(self.heap.layers), len(self.emitter.scopes)
        try:
            return run()
        except Ended:
            del self.stack[depth:]
            self.branches, self.fold, self.emitter.location = branches, fold, location
            self.gradients = gradients
            while len(self.heap.layers) > layers:
                self.heap.merge(self.heap.pop())
            while len(self.emitter.scopes) > scopes:
                self.emitter.adopt(self.emitter.close())
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
