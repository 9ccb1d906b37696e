"""Branches, loops and functions with a gradient of their own, for each row of a batch.

A condition that is one for all rows stays a branch or loop. One that differs from row to row makes both arms run, each only if a row takes
it, and every row chooses; a loop goes on until all rows are done, and rows that are done keep their state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any

from mindspore.autodiff.activity import elements
from mindspore.autodiff.batched import (
    Batched,
    Value,
    chosen,
    flat,
    in_rows,
    parameters_like,
    rebuilt,
    row_of,
    safe,
    type_of,
    with_rows,
)
from mindspore.autodiff.cotangents import blank
from mindspore.base.errors import GraphTypeError
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import (
    CUSTOM,
    EMIT,
    EMPTY_BOX,
    EMPTY_STASH,
    IF,
    MAKE_TUPLE,
    Apply,
    Constant,
    Graph,
    Node,
    Parameter,
    nodes,
    subgraphs,
)
from mindspore.ir.loops import FORWARD, Loop, function, loop_of
from mindspore.ir.types import BoxType, StashType, TensorType, TokenType, TupleType

Run = Callable[[Graph, Sequence[Batched], int], list[Batched]]
"""`batching.batched_results`."""


def place(node: Node) -> str:
    return f"{node.location}: " if node.location else ""


def parameter(like: Node, rows: bool, size: int, name: str = "") -> Batched:
    """A parameter for a value of the type of `like`."""
    kind = with_rows(type_of(like), size) if rows else type_of(like)
    given = name or getattr(like, "name", "p")
    return Batched(Parameter(given, kind, like.location), rows)


def branch(node: Apply, given: Sequence[Batched], size: int, run: Run) -> Value:
    """An If. Rows that choose for themselves compute both arms, or come one after the other where an arm prints or raises."""
    condition, arguments = given[0], given[3:]
    graphs = [_graph(f) for f in node.inputs[1:3]]
    if condition.rows and any(_effect_in(g) is not None for g in graphs):
        return row_by_row(node, given, size, run)
    if condition.rows:
        values = _both(node, condition.node, graphs, arguments, size, run)
    else:
        values = _one(node, condition.node, graphs, arguments, size, run)
    return tuple(values) if isinstance(node.type, TupleType) else values[0]


def _one(
    node: Apply, condition: Node, graphs: Sequence[Graph], arguments: Sequence[Batched], size: int, run: Run
) -> list[Batched]:
    """``If(c, rows of t, rows of e, x)``: a result has rows when it has them in either arm."""
    b = GraphBuilder(node.location)
    arms = []
    for graph in graphs:
        parameters, values = parameters_like(arguments, "a")
        arms.append((parameters, run(graph, values, size)))
    forms = [_common(one, other) for one, other in zip(arms[0][1], arms[1][1], strict=True)]
    made = [
        Graph(f"vmap_{g.name}", own, b.tuple(_formed(b, results, forms, size)), node.location)
        for g, (own, results) in zip(graphs, arms, strict=True)
    ]
    return _results(b, condition, made, flat(arguments), forms)


def _results(
    b: GraphBuilder, condition: Node, graphs: Sequence[Graph], arguments: Sequence[Node], forms: Sequence[Batched]
) -> list[Batched]:
    inputs = [condition, *map(function, graphs), *arguments]
    made = Apply(IF, inputs, type=graphs[0].result.type, location=b.location)
    return rebuilt(forms, [b.get(made, i) for i in range(len(flat(forms)))])


def _common(one: Batched, other: Batched) -> Batched:
    """The form of a result that is either: rows if one has them, masks where one has them."""
    masks = tuple(m if m is not None else n for m, n in zip(one.masks, other.masks, strict=True))
    return Batched(one.node, one.rows or other.rows, masks)


def _formed(b: GraphBuilder, values: Sequence[Batched], forms: Sequence[Batched], size: int) -> list[Node]:
    """The nodes of `values` in the wanted forms. A stash without masks stands beside one with them only where it is empty."""
    found: list[Node] = []
    for value, form in zip(values, forms, strict=True):
        whole = in_rows(value, size) if form.rows else value
        found.append(whole.node)
        for mask, wanted in zip(whole.masks, form.masks, strict=True):
            if wanted is not None:
                found.append(blank(wanted) if mask is None else mask)
    return found


def _both(
    node: Apply, condition: Node, graphs: Sequence[Graph], arguments: Sequence[Batched], size: int, run: Run
) -> list[Batched]:
    """Each arm for the rows that take it, if there are any, and for every row the results of its arm."""
    b = GraphBuilder(node.location)
    masks = [condition, b.logical_not(condition)]
    sides = [_arm(node, m, g, arguments, size, run) for m, g in zip(masks, graphs, strict=True)]
    return [_merged(b, condition, then, other) for then, other in zip(*sides, strict=True)]


def _arm(node: Apply, mask: Node, graph: Graph, arguments: Sequence[Batched], size: int, run: Run) -> list[Batched]:
    """The results of one arm, with rows; those of rows that do not take it are of no use."""
    _refuse_effects(graph)
    b = GraphBuilder(node.location)
    rows = Parameter("mask", mask.type)
    parameters, values = parameters_like(arguments, "a")
    results = [in_rows(v, size) for v in run(graph, [safe(b, rows, v) for v in values], size)]
    taken = Graph(f"vmap_{graph.name}", [rows, *parameters], b.tuple(flat(results)), node.location)
    unread, _ = parameters_like(arguments, "a")
    blanks = b.tuple([blank(n) for n in flat(results)])
    skipped = Graph(f"skipped_{graph.name}", [Parameter("mask", mask.type), *unread], blanks, node.location)
    made = _results(b, b.reduce_any(mask), [taken, skipped], [mask, *flat(arguments)], results)
    return [Batched(r.node, True, r.masks) if _is_empty(r.node) else m for r, m in zip(results, made, strict=True)]


def _is_empty(node: Node) -> bool:
    """Whether `node` is an empty stash, or an empty box for each row."""
    if isinstance(node, Apply) and node.op is MAKE_TUPLE:
        return all(isinstance(i, Apply) and i.op is EMPTY_BOX for i in node.inputs)
    return isinstance(node, Apply) and node.op is EMPTY_STASH


def _merged(b: GraphBuilder, condition: Node, then: Batched, other: Batched) -> Batched:
    """The one of two results that a row has.

    A stash that one arm leaves of its own is empty in the other. Two that are not empty are equally long, as cotangents of one stash
    are, unless no row took one of the arms.
    """
    if isinstance(then.node.type, TensorType):
        return Batched(chosen(b, condition, then.node, other.node), True)
    if _is_empty(then.node) or _is_empty(other.node):
        return other if _is_empty(then.node) else then
    if isinstance(then.node.type, TupleType):
        raise GraphTypeError(f"{place(then.node)}vmap: rows cannot choose between what two recursive calls leave.")
    if [m is None for m in then.masks] != [m is None for m in other.masks]:
        raise GraphTypeError(f"{place(then.node)}vmap: rows cannot choose between stashes of different lengths.")
    any_then, any_other = b.reduce_any(condition), b.reduce_any(b.logical_not(condition))
    picked = _if(b, any_then, then.parts(), other.parts())
    parameters, (one, two, last) = parameters_like([then, other, then.again(iter(picked))], "m")
    mask = Parameter("mask", condition.type)
    rowwise = b.tuple([_selected(b, mask, one.node, two.node), *one.parts()[1:]])
    graphs = [
        Graph("vmap_choose", [mask, *parameters], rowwise, b.location),
        _copy_of(b, [mask, *parameters], last.parts()),
    ]
    inputs = [condition, *then.parts(), *other.parts(), *picked]
    return _results(b, b.logical_and(any_then, any_other), graphs, inputs, [then])[0]


def _if(b: GraphBuilder, condition: Node, then: Sequence[Node], other: Sequence[Node]) -> list[Node]:
    """``then if condition else other``, of equal types."""
    own = [Parameter(f"m{i}", n.type) for i, n in enumerate((*then, *other))]
    graphs = [Graph("vmap_then", own, b.tuple(own[: len(then)])), _copy_of(b, own, own[len(then) :])]
    made = Apply(
        IF, [condition, *map(function, graphs), *then, *other], type=graphs[0].result.type, location=b.location
    )
    return [b.get(made, i) for i in range(len(then))]


def _copy_of(b: GraphBuilder, parameters: Sequence[Parameter], results: Sequence[Node]) -> Graph:
    """A graph with parameters of its own that hands some of them on."""
    own = [Parameter(p.name, p.type) for p in parameters]
    place_of = {id(p): o for p, o in zip(parameters, own, strict=True)}
    return Graph("vmap_other", own, b.tuple([place_of[id(r)] for r in results]), b.location)


def _selected(b: GraphBuilder, condition: Node, then: Node, other: Node) -> Node:
    """For each row the element of one of two stashes of equal lengths, for every element."""
    if isinstance(then.type, TensorType):
        return chosen(b, condition, then, other)
    one, two = Parameter("e0", _element(then)), Parameter("e1", _element(other))
    mask = Parameter("mask", condition.type)
    body = Graph("vmap_choose", [mask, one, two], b.tuple([mask, _selected(b, mask, one, two)]), b.location)
    return b.get(Loop(None, body, [condition], [then, other], (FORWARD,) * 2, (FORWARD,)).node(b.location), 1)


def _effect_in(graph: Graph) -> Apply | None:
    """A print, assert or raise in `graph`."""
    every = (node for each in subgraphs(graph) for node in nodes(each))
    return next((node for node in every if isinstance(node, Apply) and node.op is EMIT), None)


def _refuse_effects(graph: Graph) -> None:
    found = _effect_in(graph)
    if found is not None:
        raise GraphTypeError(
            f"{place(found)}vmap: print, assert or raise stands in a loop whose condition differs from row to row, so it cannot take place "
            "for some rows only. Move it out of the loop."
        )


def loop(node: Apply, given: Sequence[Value], size: int, run: Run) -> Value:
    """A While or Scan. Its state has rows as soon as a turn gives it rows."""
    made = _Loop(node, given, size, run)
    return tuple(made.results())


class _Loop:
    """Values of the state and of what is read are `Batched`; ``active`` is the Bool[batch] that tells which rows take a turn."""

    def __init__(self, node: Apply, given: Sequence[Batched], size: int, run: Run) -> None:
        self.node, self.size, self.run = node, size, run
        self.b = GraphBuilder(node.location)
        self.record = loop_of(node)
        self.count = len(self.record.state)
        first = len(node.inputs) - self.count - len(self.record.stashes)
        self.state, self.reads = list(given[first : first + self.count]), list(given[first + self.count :])
        outputs = self.record.body.outputs()
        self.steady = [o is p for o, p in zip(outputs[: self.count], self.record.body.parameters, strict=False)]
        self.mask = next((r.masks[0] for r in self.reads if r.masks[0] is not None), None)

    def results(self) -> list[Batched]:
        while True:
            made = self.attempt()
            if made is not None:
                return made

    def attempt(self) -> list[Batched] | None:
        """The loop, or None when a turn gave rows to state that had none."""
        condition, by_row = self.condition()
        parameters, state = parameters_like(self.state, "s")
        elements, read = self.elements()
        active = self.active(state, elements, by_row)
        inside = [safe(self.b, active, s) for s in state] if by_row and active is not None else state
        outputs = self.run(self.record.body, [*inside, *read], self.size)
        after, made = outputs[: self.count], outputs[self.count :]
        if active is not None:
            _refuse_effects(self.record.body)
        if self.widened(state, after, active):
            return None
        nexts = [self.kept(i, s, a, active) for i, (s, a) in enumerate(zip(state, after, strict=True))]
        return self.emit(condition, parameters, elements, nexts, made, active)

    def condition(self) -> tuple[Graph | None, bool]:
        """The condition over the state, and whether rows have their own; then the loop goes on while it holds for any."""
        test = self.record.condition
        if test is None:
            return None, False
        parameters, values = parameters_like(self.state, "s")
        (result,) = self.run(test, values, self.size)
        going: Node = self.b.reduce_any(result.node) if result.rows else result.node
        return Graph(f"vmap_{test.name}", parameters, going, self.node.location), result.rows

    def elements(self) -> tuple[list[Parameter], list[Batched]]:
        """Parameters for the elements of all stashes that are read, masks among them, and the values that they make."""
        made: list[Parameter] = []
        values = []
        for each in self.reads:
            own = [Parameter(f"e{len(made) + i}", _element(n)) for i, n in enumerate(each.parts())]
            made += own
            nodes_ = iter(own)
            whole = each.again(nodes_)
            values.append(Batched(whole.node, whole.rows, whole.masks[1:]))
        return made, values

    def active(self, state: Sequence[Batched], elements: Sequence[Parameter], by_row: bool) -> Node | None:
        """Which rows take this turn; None for all."""
        if by_row:
            assert self.record.condition is not None
            (result,) = self.run(self.record.condition, state, self.size)
            return result.node
        if self.mask is None:
            return None
        return elements[[n is self.mask for n in flat(self.reads)].index(True)]

    def widened(self, state: Sequence[Batched], after: Sequence[Batched], active: Node | None) -> bool:
        """Gives rows to the state that needs them; whether any did."""
        changed = False
        for i, (before, new) in enumerate(zip(state, after, strict=True)):
            if not before.rows and (new.rows or (active is not None and not self.steady[i])):
                self.state[i] = in_rows(self.state[i], self.size)
                changed = True
        return changed

    def kept(self, position: int, before: Batched, after: Batched, active: Node | None) -> Batched:
        """The state after a turn: rows that do not take it keep theirs."""
        if self.steady[position]:
            return before
        new = in_rows(after, self.size) if before.rows else after
        if [m is None for m in new.masks] != [m is None for m in before.masks]:
            raise GraphTypeError(f"{place(self.node)}vmap: rows leave stashes of different lengths in a loop's state.")
        if active is None:
            return new
        if not isinstance(new.node.type, TensorType):
            raise GraphTypeError(f"{place(self.node)}vmap: rows of a loop cannot keep a stash while others change it.")
        return Batched(chosen(self.b, active, new.node, before.node), True)

    def emit(
        self,
        condition: Graph | None,
        parameters: Sequence[Parameter],
        elements: Sequence[Parameter],
        state: Sequence[Batched],
        made: Sequence[Batched],
        active: Node | None,
    ) -> list[Batched]:
        """The loop; each stash that it makes has its mask in one more stash."""
        b, record = self.b, self.record
        left: list[Node] = []
        writes: list[int] = []
        forms = []
        for value, direction in zip(made, record.writes, strict=True):
            whole = Batched(value.node, value.rows, (active, *value.masks))
            forms.append(whole)
            left += whole.parts()
            writes += [direction] * len(whole.parts())
        body = b.tuple([*flat(state), *left])
        graph = Graph(f"vmap_{record.body.name}", [*parameters, *elements], body, self.node.location)
        reads = [d for r, d in zip(self.reads, record.reads, strict=True) for _ in r.parts()]
        whole_loop = Loop(condition, graph, flat(self.state), flat(self.reads), tuple(reads), tuple(writes))
        node = whole_loop.node(self.node.location)
        count = len(flat(self.state))
        results = [b.get(node, i) for i in range(count + len(left))]
        return [*rebuilt(self.state, results[:count]), *rebuilt(forms, results[count:])]


def _element(stash: Node) -> Any:
    assert isinstance(stash.type, StashType)
    return stash.type.element


def row_by_row(node: Apply, given: Sequence[Batched], size: int, run: Run) -> Value:
    """A call of a recursive graph, or what boxes are read and made by, for each row in turn: rows may end at different depths.

    Effects of one row come after those of the row before.
    """
    b = GraphBuilder(node.location)
    kinds = node.type.elements if isinstance(node.type, TupleType) else (node.type,)
    rows = any(v.rows for v in given)
    calls: list[Sequence[Node]] = []
    token: Node | None = None
    for row in range(size if rows else 1):
        inputs = [_row(b, v, row) for v in given]
        inputs = [token if token is not None and isinstance(i.type, TokenType) else i for i in inputs]
        calls.append(elements(Apply(node.op, inputs, node.attrs, node.type, node.location)))
        token = next((r for r in calls[-1] if isinstance(r.type, TokenType)), token)
    values = tuple(_stacked(b, parts) if rows else Batched(parts[0], False) for parts in zip(*calls, strict=True))
    assert len(values) == len(kinds)
    return values if isinstance(node.type, TupleType) else values[0]


def _row(b: GraphBuilder, value: Batched, row: int) -> Node:
    if not value.rows:
        return value.node
    if isinstance(value.node.type, TupleType):
        return b.get(value.node, row)
    if isinstance(value.node.type, StashType):
        raise GraphTypeError(f"{place(value.node)}vmap: recursive calls cannot read a stash that has rows.")
    return row_of(b, value.node, row)


def _stacked(b: GraphBuilder, parts: Sequence[Node]) -> Batched:
    if isinstance(parts[0].type, TensorType):
        return Batched(b.stack(*parts, axis=0), True)
    if isinstance(parts[0].type, BoxType):
        return Batched(b.tuple(parts), True)
    if isinstance(parts[0].type, TokenType):
        return Batched(parts[-1], False)
    raise GraphTypeError(f"{place(parts[0])}vmap: recursive calls cannot leave a {parts[0].type} for each row.")


def custom(node: Apply, given: Sequence[Batched], size: int, run: Run) -> Value:
    """The forward and the backward part for each row; gradients of arguments that are one for all rows are summed."""
    arguments = given[2:]
    if not any(a.rows for a in arguments):
        same = Apply(node.op, [v.node for v in given], node.attrs, node.type, node.location)
        return tuple(Batched(r, False) for r in elements(same))
    forward, backward = (_graph(f) for f in node.inputs[:2])
    b = GraphBuilder(node.location)
    parameters, values = parameters_like(arguments, "a")
    results = [in_rows(v, size) for v in run(forward, values, size)]
    made = Graph(f"vmap_{forward.name}", parameters, b.tuple(flat(results)), node.location)
    own, inside = parameters_like([*arguments, *results, *results], "a")
    gradients = run(backward, inside, size)
    wanted = [arguments[i] for i in node.attrs["wrt"]]
    summed = [_summed(b, g, a, size) for g, a in zip(gradients, wanted, strict=True)]
    pulled = Graph(f"vmap_{backward.name}", own, b.tuple(summed), node.location)
    inputs = [function(made), function(pulled), *flat(arguments)]
    whole = Apply(CUSTOM, inputs, MappingProxyType(dict(node.attrs)), made.result.type, node.location)
    return tuple(rebuilt(results, [b.get(whole, i) for i in range(len(results))]))


def _summed(b: GraphBuilder, gradient: Batched, argument: Batched, size: int) -> Node:
    if argument.rows:
        return in_rows(gradient, size).node
    if gradient.rows:
        total: Node = b.reduce_sum(gradient.node, axis=(0,))
        return total
    repeated: Node = b.mul(gradient.node, size)
    return repeated


def effect(node: Apply, given: Sequence[Batched], size: int, run: Run) -> Value:
    """An effect takes place once, or for each row in turn when its tensors have rows."""
    token: Node = given[0].node
    b = GraphBuilder(node.location)
    for row in range(size) if any(v.rows for v in given) else [0]:
        tensors = [row_of(b, v.node, row) if v.rows else v.node for v in given[1:]]
        token = Apply(node.op, (token, *tensors), node.attrs, node.type, node.location)
    return Batched(token, False)


def after(node: Apply, given: Sequence[Batched], size: int, run: Run) -> Value:
    """``After(x, y)`` with rows where ``x`` has them."""
    value, other = given
    made = Apply(node.op, (value.node, other.node), node.attrs, value.node.type, node.location)
    return Batched(made, value.rows, value.masks)


def _graph(node: Node) -> Graph:
    assert isinstance(node, Constant)
    assert isinstance(node.value, Graph)
    return node.value
