"""Assignment to names, attributes, subscripts and patterns of them."""

from __future__ import annotations

import ast

from mindspore.frontend.expressions import BINARY
from mindspore.frontend.refusals import syntax_error
from mindspore.frontend.translate import Block, expression, handles_statement
from mindspore.infer import language as lang
from mindspore.ir.graph import Node


def assign(block: Block, target: ast.expr, value: Node) -> None:
    """``target = value``."""
    if isinstance(target, ast.Name):
        block.write(target.id, value, target)
    elif isinstance(target, ast.Tuple | ast.List):
        _unpack(block, target, value)
    elif isinstance(target, ast.Attribute):
        _set_attribute(block, target, expression(block, target.value), value)
    elif isinstance(target, ast.Subscript):
        owner, index = expression(block, target.value), expression(block, target.slice)
        _set_subscript(block, target, owner, index, value)
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


def _set_attribute(block: Block, target: ast.Attribute, owner: Node, value: Node) -> None:
    block.emit(lang.SET_ATTRIBUTE, (owner, value), target, name=block.function.source.mangle(target.attr))


def _set_subscript(block: Block, target: ast.Subscript, owner: Node, index: Node, value: Node) -> None:
    """``x[i] = v`` gives ``x`` its new value: tensors are immutable in graphs, so the name is bound again."""
    changed = block.emit(lang.SET_SUBSCRIPT, (owner, index, value), target)
    if isinstance(target.value, ast.Name) and target.value.id in block.env:
        block.write(target.value.id, changed, target)


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
        old = block.emit(lang.ATTRIBUTE, (owner,), target, name=block.function.source.mangle(target.attr))
        _set_attribute(block, target, owner, _combined(block, node, old))
    else:
        owner, index = expression(block, target.value), expression(block, target.slice)
        old = block.emit(lang.SUBSCRIPT, (owner, index), target)
        _set_subscript(block, target, owner, index, _combined(block, node, old))


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
