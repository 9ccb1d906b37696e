"""Typed graph -> flat program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.errors import InternalError
from mindspore.base.shapes import Shape, size
from mindspore.ir.effects import handed_over
from mindspore.ir.graph import (
    CALL,
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
    is_shared,
    schedule,
)
from mindspore.ir.loops import loop_of
from mindspore.ir.operator import Operator
from mindspore.ir.types import BoxType, StashType, TensorType, TupleType, Type
from mindspore.kernels import access as acc
from mindspore.kernels import catalog, flatten_windows, lower_arg, lower_moves
from mindspore.kernels.calls import calls
from mindspore.kernels.elementwise import broadcast_strides
from mindspore.kernels.flatten_bodies import Recipe, inlined, recipe, traced, with_positions, with_sizes
from mindspore.kernels.flatten_folds import fold_steps
from mindspore.kernels.flatten_products import product_step
from mindspore.kernels.flatten_shared import Bodies, Leaves
from mindspore.kernels.program import (
    ArgFold,
    Boxes,
    Branch,
    Check,
    Emit,
    Function,
    Invoke,
    KernelCall,
    Kernels,
    Loop,
    Map,
    Pack,
    Put,
    Read,
    Step,
    Take,
    Unpack,
    Value,
    copied,
    nothing,
    whole,
)
from mindspore.primitives import compute as kinds
from mindspore.primitives.scalar import Expr, trace

BOX = TensorType(dt.int64, (1,))
"""A box in memory: its address, 0 for an empty one."""
STASH = TensorType(dt.int64, (2,))
"""A stash in memory: the address of its first element, and how many there are."""
Built = dict[tuple[int, tuple[tuple[int, int], ...]], Function]


def flatten(graph: Graph, updates: Mapping[int, int], built: Built | None = None) -> Function:
    """`graph` as a flat program; each subgraph is flattened once. ``updates``: output index -> parameter index."""
    table: Built = {} if built is None else built
    key = (id(graph), tuple(sorted(updates.items())))
    if key not in table:
        first = next(iter(table.values()), None)
        sites, places = ([], []) if first is None else (first.sites, first.places)
        table[key] = Function(graph.name, [], [], [], dict(updates), sites, places, graph.location)
        _Flattener(table[key], table).run(graph)
    return table[key]


def tensor_types(type: Type | None) -> list[TensorType]:
    """The tensors in a value of this type, in order, a stash as `STASH`, a box as `BOX`; functions and tokens hold none."""
    found: list[TensorType] = []
    stack: list[Type | None] = [type]
    while stack:
        current = stack.pop()
        if isinstance(current, TensorType):
            found.append(current)
        elif isinstance(current, StashType):
            found.append(STASH)
        elif isinstance(current, BoxType):
            found.append(BOX)
        elif isinstance(current, TupleType):
            stack.extend(reversed(current.elements))
    return found


class _Flattener:
    def __init__(self, function: Function, built: Built) -> None:
        self.function = function
        self.built = built
        self.leaves: dict[Node, Leaves] = {}
        self.stored: dict[Read, Value] = {}
        self.recipes: dict[Value, Recipe] = {}
        self.checked: set[tuple[Value, int]] = set()
        self.shared = Bodies()

    def run(self, graph: Graph) -> None:
        for parameter in graph.parameters:
            values = [Value(t.dtype, size(t.shape)) for t in tensor_types(parameter.type)]
            self.function.parameters.extend(values)
            self.leaves[parameter] = tuple(whole(v) for v in values)
        self.shared.enter(graph)
        for node in schedule(graph):
            if node not in self.leaves:
                self.leaves[node] = self.visit(node)
        self.finish([leaf for output in graph.outputs() for leaf in self.leaves[output]])

    def finish(self, results: Sequence[Read]) -> None:
        """Results get memory of their own: parameters, constants, views and repeats are copied, but for an update to itself."""
        given = set(self.function.parameters)
        for index, read in enumerate(results):
            value = self.store(read)
            target = self.function.updates.get(index)
            itself = target is not None and value is self.function.parameters[target]
            if not itself and (value in given or value.constant is not None):
                value = self.copy(read)
            given.add(value)
            self.function.results.append(value)

    def visit(self, node: Node) -> Leaves:
        if isinstance(node, Constant):
            return self.constant(node)
        if isinstance(node, Apply):
            handler = _STRUCTURED.get(node.op)
            if handler is not None:
                return handler(self, node)
            if isinstance(node.op, Operator) and node.op.compute is not None:
                return _COMPUTE[type(node.op.compute)](self, node)
        what = f"parameter {node.name} of another graph" if isinstance(node, Parameter) else getattr(node, "op", node)
        raise InternalError(f"graph {self.function.name}: expected closed typed nodes that have `compute`, got {what}")

    def emit(self, step: Step) -> None:
        if any(output.size for output in step.outputs):
            self.function.steps.append(step)

    def new(self, type: TensorType) -> Value:
        return Value(type.dtype, size(type.shape)) if handed_over(type) else nothing(type.dtype)

    def store(self, read: Read) -> Value:
        """`read` as a buffer of its own order: itself when whole, else copied once."""
        if read.whole and read.value is not None:
            return read.value
        if read not in self.stored:
            self.stored[read] = self.copy(read)
        return self.stored[read]

    def copy(self, read: Read) -> Value:
        dtype = dt.int64 if read.value is None else read.value.dtype
        output = Value(dtype, read.access.size)
        self.emit(Map((read,), (output,), (copied(dtype),)))
        return output

    def seen(self, read: Read, outer: acc.Access) -> Read:
        """`read` at the positions that `outer` gives."""
        access = acc.compose(outer, read.access)
        return Read(read.value, access) if access is not None else Read(self.store(read), outer)

    def operand(self, node: Node) -> tuple[Read, TensorType]:
        (read,) = self.leaves[node]
        assert isinstance(node.type, TensorType)
        return read, node.type

    def constant(self, node: Constant) -> Leaves:
        if isinstance(node.value, Graph):
            return ()
        assert isinstance(node.type, TensorType)
        array = np.ascontiguousarray(np.asarray(node.value, dt.to_numpy(node.type.dtype)))
        flat = array.reshape(-1).view(np.uint8).reshape(array.size, -1) if array.size else array.reshape(0, 1)
        uniform = bool(array.size) and bool((flat == flat[:1]).all())
        return (whole(Value(node.type.dtype, array.size, array, uniform)),)

    def elementwise(self, node: Apply) -> Leaves:
        assert isinstance(node.type, TensorType)
        return self.bodies(node, (node.op.compute.body,), [node.type])

    def update(self, node: Apply) -> Leaves:
        return self.bodies(node, node.op.compute.bodies, tensor_types(node.type))

    def bodies(self, node: Apply, bodies: Sequence[Callable[..., Expr]], types: Sequence[TensorType]) -> Leaves:
        shape = types[0].shape
        given = [self.operand(i) for i in node.inputs]
        operands = [type.dtype for _, type in given]
        outer = [acc.broadcast_access(type.shape, shape) for _, type in given]
        reads = [self.seen(self.turned(o, shape), access) for o, access in zip(given, outer, strict=True)]
        if acc.refine((r.access for r in reads), acc.cuts(shape)) is None:
            reads = [self.seen(whole(self.store(r)), access) for (r, _), access in zip(given, outer, strict=True)]
        made = [traced(body, tuple(operands), node.attrs) for body in bodies]
        exprs, reads = inlined([each.expr for each in made], reads, self.recipes)
        if any(each.positions for each in made):
            exprs = [with_positions(expr, shape, reads) for expr in exprs]
        if any(each.sizes for each in made):
            exprs = [with_sizes(expr, size(shape), reads) for expr in exprs]
        outputs = tuple(self.new(t) for t in types)
        step = Map(tuple(reads), outputs, tuple(exprs))
        self.emit(step)
        how = recipe(step)
        if how is not None:
            self.recipes[outputs[0]] = how
        return tuple(whole(o) for o in outputs)

    def turned(self, operand: tuple[Read, TensorType], shape: Shape) -> Read:
        """An operand as it is read over `shape`; a copy in order where that is quicker."""
        read, type = operand
        copied_first = read.value is not None and acc.often_across(read.access, type.shape, shape)
        return whole(self.store(read)) if copied_first else read

    def reduce(self, node: Apply) -> Leaves:
        assert isinstance(node.type, TensorType)
        read, type = self.operand(node.inputs[0])
        if read.value is None or acc.refine([read.access], acc.cuts(type.shape)) != acc.long(type.shape):
            read = whole(self.store(read))
        steps = fold_steps(node.op.compute.kind, read, type, node.attrs["axis"], self.new(node.type))
        for step in steps:
            self.emit(step)
        return (whole(steps[-1].outputs[0]),)

    def arg_reduce(self, node: Apply) -> Leaves:
        """Many short rows lie in the lanes of vectors; others run the kernel of eager mode."""
        assert isinstance(node.type, TensorType)
        read, type = self.operand(node.inputs[0])
        rows = lower_arg.short_rows(type.shape, node.attrs["axis"])
        if rows is None:
            return self.kernels(node)
        output = self.new(node.type)
        self.emit(ArgFold((whole(self.store(read)),), (output,), node.op.compute.kind, rows))
        return (whole(output),)

    def contract(self, node: Apply) -> Leaves:
        assert isinstance(node.type, TensorType)
        operands = [self.operand(i) for i in node.inputs]
        step = product_step(operands, node.type, node.attrs, self.store)
        self.emit(step)
        return (whole(step.outputs[0]),)

    def alias(self, node: Apply) -> Leaves:
        return self.leaves[node.inputs[0]]

    def move(self, node: Apply) -> Leaves:
        assert isinstance(node.type, TensorType)
        operands = [self.operand(i) for i in node.inputs]
        boxes = node.op.compute.plan(tuple(t for _, t in operands), node.type, **node.attrs)
        boxes = [b for b in boxes if size(b.sizes)]
        access = acc.of_copy(boxes[0], size(node.type.shape)) if len(boxes) == 1 else None
        if access is not None:
            return (self.seen(operands[boxes[0].input][0], access),)
        fill = node.op.compute.fill
        fill = node.attrs[fill] if isinstance(fill, str) else fill
        # kernels take no operands without elements, which say nothing about the rest of the result
        if lower_moves.separate(boxes, node.type) and all(size(t.shape) for _, t in operands):
            return self.kernels(node)
        output = self.new(node.type)
        self.emit(Boxes(tuple(whole(self.store(r)) for r, _ in operands), (output,), tuple(boxes), fill))
        return (whole(output),)

    def gather(self, node: Apply) -> Leaves:
        assert isinstance(node.type, TensorType)
        walk: kinds.Walk = node.attrs["walk"]
        start = acc.collapsed(walk.sizes, walk.strides, walk.offset)
        read, found = self.operand(node.inputs[0])[0], self.indices(node, 1)
        if not walk.picks or not size(walk.sizes):
            return (self.seen(read, start),)
        source, output = Read(self.store(read), start), self.new(node.type)
        both = zip(found, walk.picks, strict=True)
        indices = [Read(value, acc.collapsed(walk.sizes, pick.strides)) for value, pick in both]
        picks = tuple((p.bound, p.step) for p in walk.picks)
        self.emit(Take((source, *indices), (output,), picks=picks))
        return (whole(output),)

    def scatter(self, node: Apply) -> Leaves:
        assert isinstance(node.type, TensorType)
        walk: kinds.Walk = node.attrs["walk"]
        base, (updates, given) = self.operand(node.inputs[0])[0], self.operand(node.inputs[1])
        values = [self.store(base), self.store(updates), *self.indices(node, 2)]
        if not size(walk.sizes):
            return (base,)
        output = self.new(node.type)
        strides = broadcast_strides(given.shape, walk.sizes)
        self.emit(Put(tuple(map(whole, values)), (output,), walk=walk, given=strides, kind=node.attrs["kind"]))
        return (whole(output),)

    def indices(self, node: Apply, first: int) -> list[Value]:
        """The index tensors of a walk, the inputs from `first` on, each checked once; constants are checked here."""
        found = [self.store(self.operand(n)[0]) for n in node.inputs[first:]]
        for value, pick in zip(found, node.attrs["walk"].picks, strict=True):
            known = value.constant
            fits = known is not None and bool(((known >= -pick.bound) & (known < pick.bound)).all())
            if not fits and value.size and (value, pick.bound) not in self.checked:
                self.checked.add((value, pick.bound))
                place = self.function.place_of(node)
                self.function.steps.append(Check((whole(value),), (), bound=pick.bound, place=place))
        return found

    def kernels(self, node: Apply) -> Leaves:
        """What has no loops of its own runs the kernels that eager mode runs."""
        operands = [self.operand(i) for i in node.inputs]
        types = tensor_types(node.type)
        outputs = tuple(self.new(t) for t in types)
        if not all(size(t.shape) for _, t in operands):
            # sums of nothing: no buffer to hand to a kernel
            for output in outputs:
                self.emit(Map((), (output,), (Expr("const", (), output.dtype, 0),)))
            return tuple(whole(o) for o in outputs)
        made = tuple(
            KernelCall(catalog.define(c.spec), c.buffers, c.params)
            for c in calls(node.op, [t for _, t in operands], types, node.attrs)
        )
        self.emit(Kernels(tuple(whole(self.store(r)) for r, _ in operands), outputs, made))
        return tuple(whole(o) for o in outputs)

    def windows(self, node: Apply) -> Leaves:
        """Small windows are maps over their taps, others run kernels."""
        assert isinstance(node.type, TensorType)
        read, type = self.operand(node.inputs[0])
        kind = node.op.compute.kind
        if not flatten_windows.suits(kind, type, node.attrs) or not size(node.type.shape):
            return self.kernels(node)
        counts = node.type.shape[-len(node.attrs["kernel"]) :]
        source = whole(self.store(read))
        reads = [self.seen(source, view) for view in flatten_windows.views(type.shape, counts, node.attrs)]
        if kind == "index":
            reads.append(Read(None, flatten_windows.places(type.shape, counts, node.attrs)))
        output = self.new(node.type)
        self.emit(Map(tuple(reads), (output,), (flatten_windows.body(kind, type, node.attrs),)))
        return (whole(output),)

    def make_tuple(self, node: Apply) -> Leaves:
        return tuple(leaf for i in node.inputs for leaf in self.leaves[i])

    def tuple_get(self, node: Apply) -> Leaves:
        of = node.inputs[0].type
        assert isinstance(of, TupleType)
        index = node.attrs["index"] % len(of.elements)
        start = sum(len(tensor_types(t)) for t in of.elements[:index])
        return self.leaves[node.inputs[0]][start : start + len(tensor_types(of.elements[index]))]

    def subgraph(self, node: Node, updates: Mapping[int, int]) -> Function:
        if not isinstance(node, Constant) or not isinstance(node.value, Graph):
            raise InternalError(f"graph {self.function.name}: a called function must be a constant graph, got {node!r}")
        return flatten(node.value, updates, self.built)

    def arguments(self, inputs: Sequence[Node]) -> list[Read]:
        return [whole(self.store(leaf)) for i in inputs for leaf in self.leaves[i]]

    def call(self, node: Apply) -> Leaves:
        if is_shared(node):
            return self.shared_call(node)
        outputs = tuple(self.new(t) for t in tensor_types(node.type))
        function = self.subgraph(node.inputs[0], {})
        self.function.steps.append(Invoke(tuple(self.arguments(node.inputs[1:])), outputs, function=function))
        return tuple(whole(o) for o in outputs)

    def shared_call(self, node: Apply) -> Leaves:
        """The body over the arguments. Results that nobody reads have no leaves that could be read."""
        function, *arguments = node.inputs
        assert isinstance(function, Constant)
        graph: Graph = function.value
        outer, wanted = self.leaves, self.shared.read.get(node, ())
        self.shared.enter(graph)
        self.leaves = {p: outer[a] for p, a in zip(graph.parameters, arguments, strict=True)}
        for each in self.shared.order(graph, wanted):
            if each not in self.leaves:
                self.leaves[each] = self.shared.once(each, self.leaves, self.visit)
        inner, self.leaves = self.leaves, outer
        found: list[Read] = []
        for position, output in enumerate(graph.outputs()):
            unread = [Read(None, acc.identity(0))] * len(tensor_types(output.type))
            found += inner[output] if position in wanted else unread
        return tuple(found)

    def branch(self, node: Apply) -> Leaves:
        condition, then, other, *rest = node.inputs
        outputs = tuple(self.new(t) for t in tensor_types(node.type))
        functions = (self.subgraph(then, {}), self.subgraph(other, {}))
        self.function.steps.append(Branch(tuple(self.arguments([condition, *rest])), outputs, functions=functions))
        return tuple(whole(o) for o in outputs)

    def loop(self, node: Apply) -> Leaves:
        loop = loop_of(node)
        first, stashes = self.arguments(loop.state), self.arguments(loop.stashes)
        types = tensor_types(node.type)
        count = len(first)
        kept = _unchanged(loop.body)
        changing = [i for i in range(count) if i not in kept]
        outputs = tuple(self.new(t) for i, t in enumerate(types) if i in changing or i >= count)
        carried = tuple(changing.index(i) if i in changing else None for i in range(count))
        step = Loop(
            (*first, *stashes),
            outputs,
            condition=None if loop.condition is None else flatten(loop.condition, {}, self.built),
            body=flatten(loop.body, {i: i for i in range(count)}, self.built),
            carried=carried,
            stashes=loop.reads,
            made=loop.writes,
            escapes=any(
                isinstance(o.type, StashType | BoxType) for o in loop.body.outputs() if o not in loop.body.parameters
            ),
        )
        self.function.steps.append(step)
        state = tuple(first[i] if c is None else whole(outputs[c]) for i, c in enumerate(carried))
        return (*state, *map(whole, outputs[len(changing) :]))

    def empty_stash(self, node: Apply) -> Leaves:
        return (whole(Value(STASH.dtype, 2, np.zeros(2, np.int64), uniform=True)),)

    def make_box(self, node: Apply) -> Leaves:
        output = self.new(BOX)
        self.function.steps.append(Pack(tuple(self.arguments(node.inputs)), (output,)))
        return (whole(output),)

    def unbox(self, node: Apply) -> Leaves:
        outputs = tuple(self.new(t) for t in tensor_types(node.type))
        self.emit(Unpack(tuple(self.arguments(node.inputs)), outputs))
        return tuple(whole(o) for o in outputs)

    def empty_box(self, node: Apply) -> Leaves:
        return (whole(Value(BOX.dtype, 1, np.zeros(1, np.int64), uniform=True)),)

    def is_empty(self, node: Apply) -> Leaves:
        output = Value(dt.bool_, 1)
        (box,) = self.leaves[node.inputs[0]]
        self.emit(Map((box,), (output,), (trace(lambda s, address: s.eq(address, 0), (BOX.dtype,)),)))
        return (whole(output),)

    def token(self, node: Apply) -> Leaves:
        return ()

    def effect(self, node: Apply) -> Leaves:
        """Values without elements have no memory: they are not handed over."""
        types = tuple(t for i in node.inputs for t in tensor_types(i.type))
        reads = [r for t, r in zip(types, self.arguments(node.inputs[1:]), strict=True) if handed_over(t)]
        self.function.steps.append(Emit(tuple(reads), (), site=len(self.function.sites)))
        self.function.sites.append((node.attrs["effect"], types))
        return ()


def _unchanged(graph: Graph) -> set[int]:
    """Positions of the tensor state that a loop body returns as it got it."""
    kept: set[int] = set()
    start = 0
    for parameter, output in zip(graph.parameters, graph.outputs(), strict=False):
        width = len(tensor_types(parameter.type))
        if parameter is output:
            kept.update(range(start, start + width))
        start += width
    return kept


_Handler = Callable[[_Flattener, Apply], Leaves]
_STRUCTURED: Mapping[object, _Handler] = {
    MAKE_TUPLE: _Flattener.make_tuple,
    TUPLE_GET: _Flattener.tuple_get,
    CALL: _Flattener.call,
    IF: _Flattener.branch,
    WHILE: _Flattener.loop,
    SCAN: _Flattener.loop,
    EMPTY_STASH: _Flattener.empty_stash,
    MAKE_BOX: _Flattener.make_box,
    UNBOX: _Flattener.unbox,
    EMPTY_BOX: _Flattener.empty_box,
    IS_EMPTY: _Flattener.is_empty,
    TOKEN: _Flattener.token,
    EMIT: _Flattener.effect,
}
_COMPUTE: Mapping[type, _Handler] = {
    kinds.Elementwise: _Flattener.elementwise,
    kinds.Update: _Flattener.update,
    kinds.Reduce: _Flattener.reduce,
    kinds.ArgReduce: _Flattener.arg_reduce,
    kinds.Contract: _Flattener.contract,
    kinds.Alias: _Flattener.alias,
    kinds.Move: _Flattener.move,
    kinds.Gather: _Flattener.gather,
    kinds.Scatter: _Flattener.scatter,
    kinds.Windows: _Flattener.windows,
    **dict.fromkeys(
        (kinds.Accumulate, kinds.Order, kinds.Search, kinds.Products, kinds.PlaneConvolution), _Flattener.kernels
    ),
}
