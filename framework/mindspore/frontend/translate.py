"""The state of translating one function, and the dispatch from syntax to the handlers that write graph nodes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from mindspore.base.errors import Location
from mindspore.frontend.names import Names, walk_scope, with_elements
from mindspore.frontend.refusals import refuse, syntax_error
from mindspore.frontend.source import Source
from mindspore.infer import language as lang
from mindspore.ir.graph import TUPLE_GET, Apply, Constant, Graph, Node, Parameter


@dataclass(frozen=True, slots=True)
class Function:
    """The function being translated; ``outer`` is the block in which a nested one is defined, None for the root."""

    source: Source
    name: str
    names: Names
    free: frozenset[str]
    outer: Block | None = None
    locations: dict[tuple[int, int], Location] = field(default_factory=dict)


class Block:
    """A graph being written: nodes in order of evaluation, and the value of each variable at this point."""

    def __init__(self, function: Function, name: str, location: Location, env: dict[str, Node] | None = None) -> None:
        self.function = function
        self.graph = Graph(name, location=location)
        self.env: dict[str, Node] = env if env is not None else {}
        self.steps: list[Node] = []
        self.loop: tuple[str, ...] | None = None
        self.hidden: frozenset[str] = frozenset()
        """Variables of comprehensions around this block: they hide the function's of the same name."""
        self.ended = False

    def child(self, name: str, at: ast.AST, variables: Iterable[str] = ()) -> Block:
        """A block nested in this one whose parameters are `variables`; it sees the other variables as they are now."""
        block = Block(self.function, f"{self.function.name}_{name}", self.location(at), dict(self.env))
        block.loop = self.loop
        block.hidden = self.hidden
        for variable in variables:
            block.env[variable] = block.parameter(variable)
        return block

    def location(self, node: ast.AST) -> Location:
        key = (getattr(node, "lineno", 0), getattr(node, "col_offset", 0))
        known = self.function.locations
        if key not in known:
            known[key] = self.function.source.location(node)
        return known[key]

    def parameter(self, name: str) -> Parameter:
        made = Parameter(name, location=self.graph.location)
        self.graph.parameters.append(made)
        return made

    def emit(self, op: Any, inputs: Sequence[Node], at: ast.AST, **attrs: Any) -> Node:
        node = Apply(op, inputs, MappingProxyType(attrs), location=self.location(at))
        self.steps.append(node)
        return node

    def constant(self, value: Any, at: ast.AST) -> Node:
        return Constant(value, location=self.location(at))

    def item(self, value: Node, index: int, at: ast.AST) -> Node:
        return self.emit(TUPLE_GET, (value,), at, index=index)

    def end(self, result: Node) -> None:
        """Makes `result` the graph's; what follows in the source is not reached."""
        self.graph.output = Apply(lang.BLOCK, (*self.steps, result), location=result.location)
        self.ended = True

    def complete(self, case: str, values: Sequence[Node], at: ast.AST) -> None:
        self.end(self.emit(lang.COMPLETE, values, at, case=case))

    def current(self, names: Iterable[str], at: ast.AST) -> list[Node]:
        """The values of variables, `lang.Unassigned` for those without one."""
        return [self.env.get(n) or self.constant(lang.Unassigned(n), at) for n in names]

    def read(self, name: str, at: ast.AST) -> Node:
        """The value of the name `name`, wherever Python's rules find it."""
        name = self.function.source.mangle(name)
        known = self.env.get(name)
        if known is not None:
            return self.emit(lang.BOX_GET, (known,), at) if self.is_boxed(name) else known
        if name in self.function.names.global_:
            return self.emit(lang.GLOBAL, (), at, name=name)
        if name in self.function.names.local:
            return self.emit(lang.BOX_GET, (self.constant(lang.Unassigned(name), at),), at, name=name)
        return self._read_outside(name, at)

    def is_boxed(self, name: str) -> bool:
        return name in self.function.names.boxed and name not in self.hidden

    def _read_outside(self, name: str, at: ast.AST) -> Node:
        if (found := self.variable_outside(name)) is not None:
            value, boxed = found
            return self.emit(lang.BOX_GET, (value,), at) if boxed else value
        root = self.function
        while root.outer is not None:
            root = root.outer.function
        op = lang.FREE if name in root.free else lang.GLOBAL
        return self.emit(op, (), at, name=name)

    def variable_outside(self, name: str) -> tuple[Node, bool] | None:
        """The node of a variable of an enclosing function of this compilation, and whether it is a box."""
        block = self.function.outer
        while block is not None:
            value = block.env.get(name)
            if value is not None:
                return value, block.is_boxed(name)
            if name in block.function.names.local:
                return Constant(lang.Unassigned(name), location=block.graph.location), False
            block = block.function.outer
        return None

    def write(self, name: str, value: Node, at: ast.AST) -> None:
        name = self.function.source.mangle(name)
        names = self.function.names
        if name in self.hidden:
            self.env[name] = value
        elif name in names.nonlocal_ and (found := self.variable_outside(name)) is not None:
            self.emit(lang.BOX_SET, (found[0], value), at)
        elif name in names.global_ or name in names.nonlocal_:
            raise refuse_write(self, name, at)
        elif name in names.boxed:
            self.emit(lang.BOX_SET, (self.env[name], value), at)
        else:
            self.env[name] = value

    def holder(self, name: str, at: ast.AST) -> Callable[[Node], None] | None:
        """How the variable `name` takes a new value after a change of its elements; None where it lives outside of the compilation."""
        name = self.function.source.mangle(name)
        if name in self.env:
            return lambda value: self.write(name, value, at)
        found = self.variable_outside(name)
        if found is None or not found[1]:
            return None

        def put(value: Node) -> None:
            self.emit(lang.BOX_SET, (found[0], value), at)

        return put


def refuse_write(block: Block, name: str, at: ast.AST) -> SyntaxError:
    message = f"'{name}' lives outside the compiled function and cannot be assigned in it. Return the value instead."
    return syntax_error(block.location(at), message)


Finish = Callable[[Block, ast.AST], None]
ExpressionHandler = Callable[[Block, Any], Node]
StatementHandler = Callable[[Block, Any], None]
expressions: dict[type[ast.AST], ExpressionHandler] = {}
statements: dict[type[ast.AST], StatementHandler] = {}
escaping: dict[type[ast.AST], Callable[[Block, Any], Node]] = {}
"""Handlers of compound statements: each gives a completion whose case NEXT holds the variables that it assigns."""
Lowering = Callable[[Any], ast.stmt]
lowerings: dict[type[ast.AST], Lowering] = {}
"""Statements that are written as others before they are translated."""


def handles_expression(*kinds: type[ast.AST]) -> Callable[[ExpressionHandler], ExpressionHandler]:
    def register(handler: ExpressionHandler) -> ExpressionHandler:
        expressions.update(dict.fromkeys(kinds, handler))
        return handler

    return register


def handles_statement(*kinds: type[ast.AST]) -> Callable[[StatementHandler], StatementHandler]:
    def register(handler: StatementHandler) -> StatementHandler:
        statements.update(dict.fromkeys(kinds, handler))
        return handler

    return register


def handles_compound(*kinds: type[ast.AST]) -> Callable[[ExpressionHandler], ExpressionHandler]:
    def register(handler: ExpressionHandler) -> ExpressionHandler:
        escaping.update(dict.fromkeys(kinds, handler))
        return handler

    return register


def lowers(*kinds: type[ast.AST]) -> Callable[[Lowering], Lowering]:
    def register(lowering: Lowering) -> Lowering:
        lowerings.update(dict.fromkeys(kinds, lowering))
        return lowering

    return register


def lowered(statement: ast.stmt) -> ast.stmt:
    """`statement` in terms of those that have handlers."""
    lowering = lowerings.get(type(statement))
    return statement if lowering is None else lowering(statement)


def expression(block: Block, node: ast.AST) -> Node:
    """The node that computes `node` in `block`."""
    handler = expressions.get(type(node))
    if handler is None:
        raise refuse(block.location(node), node)
    return handler(block, node)


def suite(block: Block, body: Sequence[ast.stmt], finish: Finish, at: ast.AST) -> None:
    """Translates `body` and ends `block`; `finish` says what falling off the end means."""
    for position, written in enumerate(body):
        statement = lowered(written)
        compound = escaping.get(type(statement))
        if isinstance(statement, ast.If) and (arms := _arms_with_rest(statement, body[position + 1 :])) is not None:
            block.end(branch(block, statement, arms, finish))
        elif compound is not None:
            rest = body[position + 1 :] if escapes(statement) else None
            _compound(block, statement, compound(block, statement), rest, finish)
        elif (handler := statements.get(type(statement))) is not None:
            handler(block, statement)
        else:
            raise refuse(block.location(statement), statement)
        if block.ended:
            return
    finish(block, body[-1] if body else at)


def _arms_with_rest(node: ast.If, rest: Sequence[ast.stmt]) -> tuple[Sequence[ast.stmt], Sequence[ast.stmt]] | None:
    """The arms of an `if` with what follows it moved into the only arm that reaches it; None when that is not so."""
    if not escapes(node):
        return None
    if not _falls_through(node.body):
        return node.body, [*node.orelse, *rest]
    if node.orelse and not _falls_through(node.orelse):
        return [*node.body, *rest], node.orelse
    return None


def _falls_through(body: Sequence[ast.stmt]) -> bool:
    """Whether control may reach the end of `body`, as far as its syntax tells."""
    for statement in body:
        if isinstance(statement, ast.Return | ast.Raise | ast.Break | ast.Continue):
            return False
        if isinstance(statement, ast.If) and not any(_falls_through(arm) for arm in (statement.body, statement.orelse)):
            return False
    return True


def condition_of(block: Block, node: ast.expr) -> Node:
    """A value that only decides: of ``a and b`` the truths of both, which have one type, whatever the values have."""
    if not isinstance(node, ast.BoolOp):
        return expression(block, node)
    truths = [o if _is_truth(o) else _truth_of(o) for o in node.values]
    return expression(block, ast.copy_location(ast.BoolOp(node.op, truths), node))


class Truth(ast.UnaryOp):
    """``bool(operand)``, whatever the program means by the name ``bool``."""


def _is_truth(node: ast.expr) -> bool:
    return isinstance(node, ast.Compare | ast.Constant) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    )


def _truth_of(node: ast.expr) -> ast.expr:
    return ast.copy_location(Truth(ast.Not(), node), node)


def branch(block: Block, node: ast.If, arms: Sequence[Sequence[ast.stmt]], finish: Finish) -> Node:
    """The completion of ``if``: each arm a block of its own that ends with `finish` when it is not left before."""
    condition = condition_of(block, node.test)
    functions = []
    for label, body in zip(("then", "else"), arms, strict=True):
        arm = block.child(label, body[0] if body else node)
        suite(arm, body, finish, node)
        functions.append(block.constant(arm.graph, node))
    return block.emit(lang.BRANCH, (condition, *functions), node.test, logical="")


def _compound(
    block: Block, statement: ast.stmt, completion: Node, rest: Sequence[ast.stmt] | None, finish: Finish
) -> None:
    """Continues after a compound statement: in the same block, or in a block of its own when control may leave it."""
    variables = changed(block, [statement])
    if rest is None:
        for index, name in enumerate(variables):
            block.env[name] = block.item(completion, index, statement)
        return
    after = block.child("after", statement, variables)
    suite(after, rest, finish, statement)
    block.end(block.emit(lang.AFTER, (completion, block.constant(after.graph, statement)), statement))


def changed(block: Block, body: Sequence[ast.AST]) -> tuple[str, ...]:
    """The variables that `body` assigns and that are passed between blocks (boxes are shared instead)."""
    names = block.function.names
    elsewhere = names.boxed | names.global_ | names.nonlocal_
    mangle = block.function.source.mangle
    return tuple(
        n for n in map(mangle, with_elements(body)) if n not in elsewhere and (n in names.local or n in block.env)
    )


def escapes(statement: ast.stmt) -> bool:
    """Whether control may leave the compound `statement` other than to what follows it."""
    if any(isinstance(n, ast.Return) for n in walk_scope([statement])):
        return True
    return _breaks_out([statement], inside=False)


def _breaks_out(body: Iterable[ast.AST], inside: bool) -> bool:
    """Whether a break or continue in `body` belongs to a loop around it."""
    for node in body:
        if isinstance(node, ast.Break | ast.Continue) and not inside:
            return True
        if isinstance(node, ast.For | ast.While):
            if _breaks_out(node.body, True) or _breaks_out(node.orelse, inside):
                return True
        elif isinstance(node, _SUITES) and _breaks_out(ast.iter_child_nodes(node), inside):
            return True
    return False


_SUITES = (ast.If, ast.With, ast.Try, ast.ExceptHandler, ast.Match, ast.match_case)
"""What holds statements of the same function and loop."""
