"""The rules of typed graphs. The pipeline checks them between passes in tests and when ``MS_DEV_DEBUG=1``."""

from __future__ import annotations

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.errors import InternalError
from mindspore.ir.graph import (
    AFTER,
    CALL,
    CUSTOM,
    EMIT,
    EMPTY_BOX,
    EMPTY_STASH,
    IF,
    IS_EMPTY,
    MAKE_BOX,
    MAKE_TUPLE,
    SCAN,
    TOKEN,
    TUPLE_GET,
    UNBOX,
    WHILE,
    Apply,
    Constant,
    Graph,
    Node,
    Parameter,
    nodes,
    subgraphs,
)
from mindspore.ir.operator import Operator
from mindspore.ir.types import BoxType, FunctionType, StashType, TensorType, TokenType, TupleType, Type


def verify(graph: Graph) -> None:
    """InternalError with graph, node and rule when `graph` or a graph inside it breaks a rule.

    Every node has a type; every graph is closed; an operator's inputs infer to the type on the node; constants hold arrays of their type;
    structured nodes get functions whose types fit their arguments; an effect token is read once.
    """
    for each in subgraphs(graph):
        own = {id(p) for p in each.parameters}
        spent: set[int] = set()
        for node in nodes(each):
            problem = _problem(node, own) or _twice(node, spent)
            if problem:
                raise InternalError(f"graph {each.name}: {_describe(node)}: {problem} ({node.location})")


def _twice(node: Node, spent: set[int]) -> str | None:
    """Whether `node` reads a token that another node reads; `spent` holds those that were read."""
    tokens = [id(i) for i in node.inputs if isinstance(i.type, TokenType)]
    if any(t in spent for t in tokens) or len(set(tokens)) < len(tokens):
        return "reads an effect token that is read already"
    spent.update(tokens)
    return None


def signature(graph: Graph) -> FunctionType:
    """The function type of a typed graph."""
    return FunctionType(tuple(_type(p) for p in graph.parameters), _type(graph.result))


def _type(node: Node) -> Type:
    if node.type is None:
        raise InternalError(f"{_describe(node)} has no type")
    return node.type


def _describe(node: Node) -> str:
    if isinstance(node, Apply):
        return f"{node.op.name}({', '.join(str(i.type) for i in node.inputs)})"
    return f"parameter {node.name}" if isinstance(node, Parameter) else type(node).__name__


def _problem(node: Node, own: set[int]) -> str | None:
    if isinstance(node, Parameter):
        return None if id(node) in own else "is a free variable"
    if isinstance(node, Constant):
        return _constant_problem(node)
    if node.type is None:
        return "has no type"
    assert isinstance(node, Apply)
    if isinstance(node.op, Operator):
        expected = node.op.infer(*[i.type for i in node.inputs], **node.attrs)
        return None if expected == node.type else f"has type {node.type}, inference says {expected}"
    return _structured_problem(node)


def _constant_problem(node: Constant) -> str | None:
    if isinstance(node.value, Graph):
        return None
    if not isinstance(node.value, np.ndarray):
        return f"holds a {type(node.value).__name__}, expected an array or a graph"
    actual = TensorType(dt.from_numpy(node.value.dtype), node.value.shape)
    return None if actual == node.type else f"holds {actual}, its type is {node.type}"


def _structured_problem(node: Apply) -> str | None:
    kinds = tuple(i.type for i in node.inputs)
    if node.op is MAKE_TUPLE:
        return None if node.type == TupleType(kinds) else f"makes {kinds}, its type is {node.type}"  # type: ignore[arg-type]
    if node.op is TUPLE_GET:
        whole = kinds[0]
        fits = isinstance(whole, TupleType) and whole.elements[node.attrs["index"]] == node.type
        return None if fits else f"takes element {node.attrs['index']} of {whole} as {node.type}"
    if node.op is EMPTY_STASH:
        return None if isinstance(node.type, StashType) else f"has type {node.type}, expected a stash"
    if node.op in (MAKE_BOX, UNBOX, EMPTY_BOX, IS_EMPTY):
        return _box_problem(node, kinds)
    if node.op is AFTER:
        return None if len(kinds) == 2 and kinds[0] == node.type else f"gives {node.type} for {kinds}"
    if node.op in (TOKEN, EMIT):
        return _effect_problem(node, kinds)
    if node.op in (WHILE, SCAN):
        return _loop_problem(node)
    if node.op is CUSTOM:
        return _custom_problem(node)
    functions = {CALL: 1, IF: 3}.get(node.op)
    if functions is None:
        return "is no operation of typed graphs"
    return _function_problem(node, functions)


def _box_problem(node: Apply, kinds: tuple[Type | None, ...]) -> str | None:
    """Boxes hold what their layout says."""
    box = kinds[0] if node.op in (UNBOX, IS_EMPTY) else node.type
    if not isinstance(box, BoxType):
        return f"has {box}, expected a box"
    if node.op is MAKE_BOX:
        return None if kinds == box.layout.contents else f"puts {kinds} into {box}, which holds {box.layout.contents}"
    if node.op is UNBOX:
        return None if node.type == TupleType(box.layout.contents) else f"takes {node.type} from {box}"
    if node.op is IS_EMPTY:
        return None if node.type == TensorType(dt.bool_, ()) else f"has type {node.type}, expected Bool[]"
    return None if not kinds else f"is made from {kinds}"


def _effect_problem(node: Apply, kinds: tuple[Type | None, ...]) -> str | None:
    if node.type != TokenType():
        return f"has type {node.type}, expected a token"
    if node.op is EMIT and (kinds[:1] != (TokenType(),) or not all(isinstance(k, TensorType) for k in kinds[1:])):
        return f"takes {kinds}, expected a token and tensors"
    return None


def _function_problem(node: Apply, lead: int) -> str | None:
    arguments = tuple(i.type for i in node.inputs[lead:])
    graphs = [i.value for i in node.inputs[:lead] if isinstance(i, Constant) and isinstance(i.value, Graph)]
    if node.op is IF and node.inputs[0].type != TensorType(dt.bool_, ()):
        return f"has condition {node.inputs[0].type}, expected Bool[]"
    if len(graphs) != (2 if lead > 1 else 1):
        return "needs constant graphs as functions"
    for function in graphs:
        kind = signature(function)
        if kind.parameters != arguments or kind.result != node.type:
            return f"calls {function.name}: {kind} with {arguments}, expects {node.type}"
    return None


def _custom_problem(node: Apply) -> str | None:
    graphs = [i.value for i in node.inputs[:2] if isinstance(i, Constant) and isinstance(i.value, Graph)]
    if len(graphs) != 2 or not isinstance(node.type, TupleType):
        return "needs constant graphs as functions and gives a tuple"
    arguments = tuple(_type(i) for i in node.inputs[2:])
    results = node.type.elements
    gradients = TupleType(tuple(arguments[i] for i in node.attrs["wrt"]))
    wanted = (FunctionType(arguments, node.type), FunctionType((*arguments, *results, *results), gradients))
    for function, want in zip(graphs, wanted, strict=True):
        if signature(function) != want:
            return f"has {function.name}: {signature(function)}, expects {want}"
    return None


def _loop_problem(node: Apply) -> str | None:
    """The body takes state and elements of what is read, and gives state and elements of what is made; the condition takes the state."""
    lead = 2 if node.op is WHILE else 1
    graphs = [i.value for i in node.inputs[:lead] if isinstance(i, Constant) and isinstance(i.value, Graph)]
    if len(graphs) != lead:
        return "needs constant graphs as functions"
    kinds = tuple(_type(i) for i in node.inputs[lead:])
    reads, writes = node.attrs.get("reads", ()), node.attrs.get("writes")
    count = len(kinds) - len(reads)
    given = tuple(k.element for k in kinds[count:] if isinstance(k, StashType))
    if len(given) != len(reads) or (node.op is SCAN and not reads):
        return f"reads {kinds[count:]} as stashes"
    results = node.type.elements if isinstance(node.type, TupleType) else ()
    made = tuple(k.element for k in results[count:] if isinstance(k, StashType))
    if results[:count] != kinds[:count] or len(made) != len(results) - count:
        return f"gives {node.type} for the state {kinds[:count]}"
    if writes is not None and len(writes) != len(made):
        return f"makes {len(made)} stashes in {len(writes)} directions"
    wanted = [FunctionType((*kinds[:count], *given), TupleType((*kinds[:count], *made)))]
    if node.op is WHILE:
        wanted.insert(0, FunctionType(kinds, TensorType(dt.bool_, ())))
    for function, want in zip(graphs, wanted, strict=True):
        if signature(function) != want:
            return f"runs {function.name}: {signature(function)}, expects {want}"
    return None
