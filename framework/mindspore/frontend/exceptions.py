"""``try`` and ``with``: suites that something follows however they end."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from mindspore.frontend.assignment import assign
from mindspore.frontend.statements import handing_on
from mindspore.frontend.translate import Block, Finish, expression, handles_compound, suite
from mindspore.infer import language as lang
from mindspore.ir.graph import Node

_END: Finish = handing_on(lang.NEXT, ())
"""Variables assigned in these statements are boxes, so that no block hands them on."""


@handles_compound(ast.Try)
def try_(block: Block, node: ast.Try) -> Node:
    if not node.finalbody:
        return _try_except(block, node)
    body = block.child("try", node)
    if node.handlers:
        inner = ast.copy_location(ast.Try(node.body, node.handlers, node.orelse, []), node)
        suite(body, [inner], _END, node)
    else:
        suite(body, node.body, _END, node)
    handler = block.child("finally", node)
    error = handler.parameter("error")
    suite(handler, node.finalbody, lambda end, at: end.end(end.emit(lang.RAISE, (error,), at)), node)
    return _emit(block, node, (body, handler, _suite(block, "finally", node.finalbody, node)), always=True)


def _try_except(block: Block, node: ast.Try) -> Node:
    body = _suite(block, "try", node.body, node)
    handler = block.child("except", node)
    _dispatch(handler, handler.parameter("error"), node.handlers, node)
    return _emit(block, node, (body, handler, _suite(block, "else", node.orelse, node)), always=False)


def _suite(block: Block, name: str, statements: Sequence[ast.stmt], at: ast.AST) -> Block:
    made = block.child(name, at)
    suite(made, statements, _END, at)
    return made


def _emit(block: Block, node: ast.AST, parts: Sequence[Block], always: bool) -> Node:
    return block.emit(lang.TRY, [block.constant(p.graph, node) for p in parts], node, always=always)


def _dispatch(block: Block, error: Node, handlers: Sequence[ast.ExceptHandler], at: ast.AST) -> None:
    """The first handler whose class fits; the exception goes on when there is none."""
    if not handlers:
        block.end(block.emit(lang.RAISE, (error,), at))
        return
    first = handlers[0]
    if first.type is None:
        _handle(block, error, first)
        return
    operands = (block.constant(isinstance, first), error, expression(block, first.type))
    fits = block.emit(lang.INVOKE, operands, first.type, kinds=("", ""))
    arms = block.child("caught", first), block.child("other", first)
    _handle(arms[0], error, first)
    _dispatch(arms[1], error, handlers[1:], at)
    functions = [block.constant(a.graph, first) for a in arms]
    block.end(block.emit(lang.BRANCH, (fits, *functions), first.type, logical=""))


def _handle(block: Block, error: Node, handler: ast.ExceptHandler) -> None:
    name = handler.name
    if name is not None:
        block.write(name, error, handler)

    def finish(end: Block, at: ast.AST) -> None:
        if name is not None:
            end.write(name, end.constant(lang.Unassigned(name), at), at)
        _END(end, at)

    suite(block, handler.body, finish, handler)


@handles_compound(ast.With)
def with_(block: Block, node: ast.With) -> Node:
    item, *others = node.items
    manager = expression(block, item.context_expr)
    leave = block.emit(lang.ATTRIBUTE, (manager,), item.context_expr, name="__exit__")
    enter = block.emit(lang.ATTRIBUTE, (manager,), item.context_expr, name="__enter__")
    value = block.emit(lang.INVOKE, (enter,), item.context_expr, kinds=())
    body = block.child("with", node)
    if item.optional_vars is not None:
        assign(body, item.optional_vars, value)
    rest = [ast.copy_location(ast.With(others, node.body), node)] if others else node.body
    suite(body, rest, _END, node)
    parts = (body, _leave_raising(block, leave, item.context_expr), _leave(block, leave, item.context_expr))
    return _emit(block, node, parts, always=True)


def _leave(block: Block, leave: Node, at: ast.expr) -> Block:
    made = block.child("exit", at)
    none = made.constant(None, at)
    made.emit(lang.INVOKE, (leave, none, none, none), at, kinds=("",) * 3)
    _END(made, at)
    return made


def _leave_raising(block: Block, leave: Node, at: ast.expr) -> Block:
    """``__exit__`` learns of the exception, and swallows it by giving a true value."""
    made = block.child("exit", at)
    error = made.parameter("error")
    kind = made.emit(lang.INVOKE, (made.constant(type, at), error), at, kinds=("",))
    swallowed = made.emit(lang.INVOKE, (leave, kind, error, made.constant(None, at)), at, kinds=("",) * 3)
    arms = made.child("swallowed", at), made.child("raised", at)
    _END(arms[0], at)
    arms[1].end(arms[1].emit(lang.RAISE, (error,), at))
    functions = [made.constant(a.graph, at) for a in arms]
    made.end(made.emit(lang.BRANCH, (swallowed, *functions), at, logical=""))
    return made
