"""Assignment to names, attributes, subscripts and patterns of them."""

from __future__ import annotations

import ast
from collections.abc import Callable

from mindspore.frontend.expressions import BINARY
from mindspore.frontend.refusals import syntax_error
from mindspore.frontend.translate import Block, expression, handles_statement
from mindspore.infer import language as lang
from mindspore.ir.graph import Node

Store = Callable[[Node], None]


def assign(block: Block, target: ast.expr, value: Node) -> None:
    """``target = value``."""
    if isinstance(target, ast.Name):
        block.write(target.id, value, target)
    elif isinstance(target, ast.Tuple | ast.List):
        _unpack(block, target, value)
    elif isinstance(target, ast.Attribute):
        _set_attribute(block, target, expression(block, target.value), value)
    elif isinstance(target, ast.Subscript):
        owner, store = _place(block, target.value)
        _set_subscript(block, target, owner, expression(block, target.slice), value, store)
    else:
        raise syntax_error(block.location(target), f"cannot assign to {type(target).__name__}")


def _unpack(block: Block, target: ast.Tuple | ast.List, value: Node) -> None:
    stars = [i for i, t in enumerate(target.elts) if isinstance(t, ast.Starred)]
    before = stars[0] if stars else len(target.elts)
    after = len(target.elts) - before - 1 if stars else None
    values = block.emit(lang.UNPACK, (value,), target, before=before, after=after)
    for index, each in enumerate(target.elts):
        inner = each.value if isinstance(each, ast.Starred) else each
        assign(block, inner, block.item(values, index, each))


def _set_attribute(block: Block, target: ast.Attribute, owner: Node, *values: Node) -> None:
    block.emit(lang.SET_ATTRIBUTE, (owner, *values), target, name=block.function.source.mangle(target.attr))


def _attribute(block: Block, target: ast.Attribute, owner: Node) -> Node:
    return block.emit(lang.ATTRIBUTE, (owner,), target, name=block.function.source.mangle(target.attr))


def _set_subscript(
    block: Block, target: ast.Subscript, owner: Node, index: Node, value: Node, store: Store | None
) -> None:
    """``x[i] = v`` gives ``x`` its new value: tensors are immutable in graphs, so what holds it is written again."""
    changed = block.emit(lang.SET_SUBSCRIPT, (owner, index, value), target, stored=store is not None)
    if store is not None:
        store(changed)


def _place(block: Block, target: ast.expr) -> tuple[Node, Store | None]:
    """The value of an expression whose elements are assigned to, and how a new value takes its place; None where nothing holds it."""
    if isinstance(target, ast.Subscript):
        owner, store = _place(block, target.value)
        index = expression(block, target.slice)
        value = block.emit(lang.SUBSCRIPT, (owner, index), target, augmented=False)

        def put(changed: Node) -> None:
            inputs = (owner, index, changed, value)
            result = block.emit(lang.SET_SUBSCRIPT, inputs, target, stored=store is not None)
            if store is not None:
                store(result)

        return value, put
    if isinstance(target, ast.Attribute):
        owner = expression(block, target.value)
        value = _attribute(block, target, owner)
        return value, lambda changed: _set_attribute(block, target, owner, changed, value)
    return expression(block, target), block.holder(target.id, target) if isinstance(target, ast.Name) else None


@handles_statement(ast.Assign)
def assignment(block: Block, node: ast.Assign) -> None:
    value = expression(block, node.value)
    for target in node.targets:
        assign(block, target, value)


@handles_statement(ast.AnnAssign)
def annotated(block: Block, node: ast.AnnAssign) -> None:
    if node.value is not None:
        assign(block, node.target, expression(block, node.value))


@handles_statement(ast.AugAssign)
def augmented(block: Block, node: ast.AugAssign) -> None:
    target = node.target
    if isinstance(target, ast.Name):
        block.write(target.id, _combined(block, node, block.read(target.id, target)), node)
    elif isinstance(target, ast.Attribute):
        owner = expression(block, target.value)
        _set_attribute(block, target, owner, _combined(block, node, _attribute(block, target, owner)))
    else:
        owner, store = _place(block, target.value)
        index = expression(block, target.slice)
        old = block.emit(lang.SUBSCRIPT, (owner, index), target, augmented=True)
        _set_subscript(block, target, owner, index, _combined(block, node, old), store)


def _combined(block: Block, node: ast.AugAssign, old: Node) -> Node:
    value = expression(block, node.value)
    return block.emit(lang.OPERATION, (old, value), node, symbol=BINARY[type(node.op)], in_place=True)


@handles_statement(ast.Delete)
def delete(block: Block, node: ast.Delete) -> None:
    for target in node.targets:
        _delete(block, target)


def _delete(block: Block, target: ast.expr) -> None:
    if isinstance(target, ast.Name):
        block.write(target.id, block.constant(lang.Unassigned(target.id), target), target)
    elif isinstance(target, ast.Subscript):
        operands = (expression(block, target.value), expression(block, target.slice))
        block.emit(lang.DELETE_SUBSCRIPT, operands, target)
    elif isinstance(target, ast.Tuple | ast.List):
        for each in target.elts:
            _delete(block, each)
    else:
        raise syntax_error(
            block.location(target),
            "'del' of an attribute is not supported in a compiled function. Set the attribute to None instead.",
        )
