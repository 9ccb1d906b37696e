"""Expressions without inner scopes."""

from __future__ import annotations

import ast

from mindspore.base.errors import Location
from mindspore.frontend.refusals import syntax_error
from mindspore.frontend.translate import Block, Truth, condition_of, expression, handles_expression
from mindspore.infer import language as lang
from mindspore.ir.graph import Node

BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.MatMult: "@", ast.LShift: "<<", ast.RShift: ">>", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^",
}  # fmt: skip
UNARY: dict[type[ast.unaryop], str] = {ast.USub: "unary -", ast.UAdd: "unary +", ast.Invert: "unary ~", ast.Not: "not"}
COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip


@handles_expression(ast.Constant)
def constant(block: Block, node: ast.Constant) -> Node:
    return block.constant(node.value, node)


@handles_expression(ast.Name)
def name(block: Block, node: ast.Name) -> Node:
    return block.read(node.id, node)


@handles_expression(ast.NamedExpr)
def walrus(block: Block, node: ast.NamedExpr) -> Node:
    value = expression(block, node.value)
    block.write(node.target.id, value, node)
    return value


@handles_expression(ast.Attribute)
def attribute(block: Block, node: ast.Attribute) -> Node:
    owner = expression(block, node.value)
    return block.emit(lang.ATTRIBUTE, (owner,), node, name=block.function.source.mangle(node.attr))


@handles_expression(ast.BinOp)
def binary(block: Block, node: ast.BinOp) -> Node:
    operands = (expression(block, node.left), expression(block, node.right))
    return block.emit(lang.OPERATION, operands, node, symbol=BINARY[type(node.op)], in_place=False)


@handles_expression(ast.UnaryOp)
def unary(block: Block, node: ast.UnaryOp) -> Node:
    operand = (condition_of if isinstance(node.op, ast.Not) else expression)(block, node.operand)
    return block.emit(lang.OPERATION, (operand,), node, symbol=UNARY[type(node.op)], in_place=False)


@handles_expression(Truth)
def truth(block: Block, node: Truth) -> Node:
    value = condition_of(block, node.operand)
    return block.emit(lang.INVOKE, (block.constant(bool, node), value), node, kinds=("",))


@handles_expression(ast.Compare)
def compare(block: Block, node: ast.Compare) -> Node:
    return _comparison(block, node, expression(block, node.left), 0)


def _comparison(block: Block, node: ast.Compare, left: Node, position: int) -> Node:
    """``a < b < c`` is ``a < b and b < c`` with ``b`` evaluated once."""
    right = expression(block, node.comparators[position])
    symbol = COMPARE[type(node.ops[position])]
    result = block.emit(lang.OPERATION, (left, right), node, symbol=symbol, in_place=False)
    if position + 1 == len(node.ops):
        return result
    rest = block.child("and", node)
    rest.complete(lang.NEXT, (_comparison(rest, node, right, position + 1),), node)
    return _logical(block, node, "and", result, rest)


@handles_expression(ast.BoolOp)
def boolean(block: Block, node: ast.BoolOp) -> Node:
    symbol = "and" if isinstance(node.op, ast.And) else "or"
    return _boolean(block, node, symbol, list(node.values))


def _boolean(block: Block, node: ast.BoolOp, symbol: str, operands: list[ast.expr]) -> Node:
    left = expression(block, operands[0])
    if len(operands) == 1:
        return left
    rest = block.child(symbol, operands[1])
    rest.complete(lang.NEXT, (_boolean(rest, node, symbol, operands[1:]),), operands[1])
    return _logical(block, node, symbol, left, rest)


def _logical(block: Block, node: ast.expr, symbol: str, left: Node, rest: Block) -> Node:
    """`left` and, when it does not decide, the value of the block `rest`."""
    keep = block.child(symbol, node)
    keep.complete(lang.NEXT, (left,), node)
    arms = (rest, keep) if symbol == "and" else (keep, rest)
    functions = [block.constant(arm.graph, node) for arm in arms]
    return block.item(block.emit(lang.BRANCH, (left, *functions), node, logical=symbol), 0, node)


@handles_expression(ast.IfExp)
def ternary(block: Block, node: ast.IfExp) -> Node:
    condition = condition_of(block, node.test)
    functions = []
    for label, value in (("then", node.body), ("else", node.orelse)):
        arm = block.child(label, value)
        arm.complete(lang.NEXT, (expression(arm, value),), value)
        functions.append(block.constant(arm.graph, value))
    return block.item(block.emit(lang.BRANCH, (condition, *functions), node.test, logical=""), 0, node)


@handles_expression(ast.Tuple, ast.List, ast.Set)
def display(block: Block, node: ast.Tuple | ast.List | ast.Set) -> Node:
    starred = tuple(isinstance(e, ast.Starred) for e in node.elts)
    elements = [expression(block, e.value if isinstance(e, ast.Starred) else e) for e in node.elts]
    kind = type(node).__name__.lower()
    return block.emit(lang.DISPLAY, elements, node, kind=kind, starred=starred)


@handles_expression(ast.Dict)
def dictionary(block: Block, node: ast.Dict) -> Node:
    parts: list[Node] = []
    for key, value in zip(node.keys, node.values, strict=True):
        parts.append(block.constant(lang.MERGE, value) if key is None else expression(block, key))
        parts.append(expression(block, value))
    return block.emit(lang.DICTIONARY, parts, node)


@handles_expression(ast.Subscript)
def subscript(block: Block, node: ast.Subscript) -> Node:
    owner = expression(block, node.value)
    return block.emit(lang.SUBSCRIPT, (owner, expression(block, node.slice)), node, augmented=False)


@handles_expression(ast.Slice)
def slice_(block: Block, node: ast.Slice) -> Node:
    parts = [
        block.constant(None, node) if p is None else expression(block, p) for p in (node.lower, node.upper, node.step)
    ]
    return block.emit(lang.SLICE, parts, node)


@handles_expression(ast.JoinedStr)
def joined(block: Block, node: ast.JoinedStr) -> Node:
    return block.emit(lang.CONCATENATE, [expression(block, v) for v in node.values], node)


@handles_expression(ast.FormattedValue)
def formatted(block: Block, node: ast.FormattedValue) -> Node:
    value = expression(block, node.value)
    specification = block.constant("", node) if node.format_spec is None else expression(block, node.format_spec)
    return block.emit(lang.FORMAT, (value, specification), node, conversion=node.conversion)


@handles_expression(ast.Call)
def call(block: Block, node: ast.Call) -> Node:
    function = expression(block, node.func)
    if _is_bare_super(node):
        return block.emit(lang.INVOKE, (function, *_super_arguments(block, node)), node, kinds=("", ""))
    kinds: list[str] = []
    arguments: list[Node] = []
    for given in node.args:
        starred = isinstance(given, ast.Starred)
        kinds.append("*" if starred else "")
        arguments.append(expression(block, given.value if isinstance(given, ast.Starred) else given))
    for keyword in node.keywords:
        kinds.append("**" if keyword.arg is None else keyword.arg)
        arguments.append(expression(block, keyword.value))
    return block.emit(lang.INVOKE, (function, *arguments), node, kinds=tuple(kinds))


def _is_bare_super(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == "super" and not node.args and not node.keywords


def _super_arguments(block: Block, node: ast.Call) -> tuple[Node, Node]:
    """What Python passes to ``super()``: the class that holds the method, and the method's first parameter."""
    root = block.function
    first = root.source.tree.args
    names = [a.arg for a in (*first.posonlyargs, *first.args)]
    if "__class__" not in root.free or not names:
        location: Location = block.location(node)
        raise syntax_error(
            location, "super() without arguments works only directly in a method. Pass the class and self."
        )
    return block.emit(lang.FREE, (), node, name="__class__"), block.read(names[0], node)
