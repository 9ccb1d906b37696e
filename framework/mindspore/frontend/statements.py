"""Statements that control what runs: branches, loops, and the ways to leave them."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from mindspore.frontend.assignment import assign
from mindspore.frontend.names import has_walrus
from mindspore.frontend.translate import (
    Block,
    Finish,
    branch,
    changed,
    condition_of,
    expression,
    handles_compound,
    handles_statement,
    lowers,
    suite,
)
from mindspore.infer import language as lang
from mindspore.ir.graph import Node


def handing_on(case: str, variables: Sequence[str]) -> Finish:
    """Falling off the end of a suite hands on the values of `variables`."""

    def finish(block: Block, at: ast.AST) -> None:
        block.complete(case, block.current(variables, at), at)

    return finish


@lowers(ast.If)
def one_test_at_a_time(node: ast.If) -> ast.If:
    """``if a and (b := c)`` as ``if a: if b := c``, so that the inner suite knows that ``b`` has a value."""
    test = node.test
    if not (isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) and has_walrus(test)):
        return node
    body = node.body
    for operand in reversed(test.values):
        body = [ast.copy_location(ast.If(operand, body, node.orelse), node)]
    return body[0]  # type: ignore[return-value]


@handles_compound(ast.If)
def if_(block: Block, node: ast.If) -> Node:
    finish = handing_on(lang.NEXT, changed(block, [node]))
    return branch(block, node, (node.body, node.orelse), finish)


@handles_compound(ast.For)
def for_(block: Block, node: ast.For) -> Node:
    variables = changed(block, [node])
    iterable = expression(block, node.iter)
    body = Block(block.function, f"{block.function.name}_for", block.location(node), dict(block.env))
    item = body.parameter("item")
    for variable in variables:
        body.env[variable] = body.parameter(variable)
    body.loop = variables
    assign(body, node.target, item)
    suite(body, node.body, handing_on(lang.CONTINUE, variables), node)
    functions = [block.constant(b.graph, node) for b in (body, _else(block, node, variables))]
    inputs = (iterable, *functions, *block.current(variables, node))
    return block.emit(lang.FOR, inputs, node, has_else=bool(node.orelse), names=tuple(variables))


@handles_compound(ast.While)
def while_(block: Block, node: ast.While) -> Node:
    variables = changed(block, [node])
    test, loop_body = node.test, node.body
    if has_walrus(node.test):
        test = ast.copy_location(ast.Constant(True), node.test)
        loop_body = [ast.copy_location(ast.If(node.test, node.body, [ast.copy_location(_Done(), node.test)]), node)]
    condition = block.child("while", test, variables)
    condition.end(condition_of(condition, test))
    body = block.child("body", node, variables)
    body.loop = variables
    suite(body, loop_body, handing_on(lang.CONTINUE, variables), node)
    functions = [block.constant(b.graph, node) for b in (condition, body, _else(block, node, variables))]
    inputs = (*functions, *block.current(variables, node))
    return block.emit(lang.LOOP, inputs, node, has_else=bool(node.orelse), names=tuple(variables))


def _else(block: Block, node: ast.For | ast.While, variables: Sequence[str]) -> Block:
    """What runs when the loop was not left by break; empty without an else clause."""
    orelse = block.child("else", node, variables)
    suite(orelse, node.orelse, handing_on(lang.NEXT, variables), node)
    return orelse


class _Done(ast.Break):
    """Leaves a loop because its condition is false: the else clause runs, unlike after break."""


@handles_statement(ast.Break, ast.Continue, _Done)
def leave(block: Block, node: ast.Break | ast.Continue) -> None:
    assert block.loop is not None, "Python's own parser refuses break and continue outside loops"
    case = lang.CONTINUE if isinstance(node, ast.Continue) else lang.DONE if isinstance(node, _Done) else lang.BREAK
    block.complete(case, block.current(block.loop, node), node)


@handles_statement(ast.Return)
def return_(block: Block, node: ast.Return) -> None:
    value = block.constant(None, node) if node.value is None else expression(block, node.value)
    block.complete(lang.RETURN, (value,), node)


@handles_statement(ast.Expr)
def expression_statement(block: Block, node: ast.Expr) -> None:
    if not isinstance(node.value, ast.Constant):
        expression(block, node.value)


@handles_statement(ast.Pass, ast.Global, ast.Nonlocal)
def nothing(block: Block, node: ast.stmt) -> None:
    """Declarations were read by `names.analyse`."""


@handles_statement(ast.Raise)
def raise_(block: Block, node: ast.Raise) -> None:
    """The cause of ``raise ... from`` is only for Python's own display: it is evaluated, and not kept."""
    inputs = [] if node.exc is None else [expression(block, node.exc)]
    if node.cause is not None:
        expression(block, node.cause)
    block.end(block.emit(lang.RAISE, inputs, node))


@handles_statement(ast.Assert)
def assert_(block: Block, node: ast.Assert) -> None:
    condition = condition_of(block, node.test)
    fine, broken = block.child("asserted", node), block.child("failed", node)
    fine.complete(lang.NEXT, (), node)
    message = [] if node.msg is None else [expression(broken, node.msg)]
    kinds = ("",) * len(message)
    error = broken.emit(lang.INVOKE, (broken.constant(AssertionError, node), *message), node, kinds=kinds)
    broken.end(broken.emit(lang.RAISE, (error,), node))
    functions = [block.constant(b.graph, node) for b in (fine, broken)]
    block.emit(lang.BRANCH, (condition, *functions), node.test, logical="")
