"""``match``: written as nested ``if`` whose tests hold the patterns."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from mindspore.frontend.names import assigned
from mindspore.frontend.translate import Block, expression, handles_expression, handles_statement, lowers
from mindspore.infer import language as lang
from mindspore.infer.patterns import Capture, Instance, Literal, Mapped, Options, Pattern, Same, Sequenced, Star
from mindspore.ir.graph import Node

_SUBJECT, _MATCHED = ".subject", ".matched"
"""Names, which no variable can have, of the values that tests and suites of one ``match`` share."""


class _CaseTest(ast.expr):
    """Whether the subject fits `pattern`; only the first case of a ``match`` evaluates the subject."""

    _fields = ("subject", "pattern", "guard")
    subject: ast.expr | None
    pattern: ast.pattern
    guard: ast.expr | None

    def __init__(self, subject: ast.expr | None, pattern: ast.pattern, guard: ast.expr | None) -> None:
        fields: dict[str, Any] = {"subject": subject, "pattern": pattern, "guard": guard}
        super().__init__(**fields)


class _Bind(ast.stmt):
    """Assigns what the pattern captured."""

    names: tuple[str, ...]


@lowers(ast.Match)
def match(node: ast.Match) -> ast.stmt:
    chain: list[ast.stmt] = []
    for position, case in reversed(list(enumerate(node.cases))):
        test = ast.copy_location(_CaseTest(None if position else node.subject, case.pattern, case.guard), case.pattern)
        bind = ast.copy_location(_Bind(), case.pattern)
        bind.names = assigned([case.pattern])
        chain = [ast.copy_location(ast.If(test, [bind, *case.body], chain), case.pattern)]
    return chain[0]


@handles_expression(_CaseTest)
def case_test(block: Block, node: _CaseTest) -> Node:
    if node.subject is not None:
        block.env[_SUBJECT] = expression(block, node.subject)
    values: list[Node] = []
    pattern = _pattern(block, node.pattern, values)
    names = assigned([node.pattern])
    matched = block.emit(lang.MATCH, (block.env[_SUBJECT], *values), node, pattern=pattern, names=names)
    block.env[_MATCHED] = matched
    fits = block.item(matched, 0, node)
    if node.guard is None:
        return fits
    guarded, failed = block.child("guard", node.guard), block.child("failed", node.guard)
    _bind(guarded, names, node)
    guarded.complete(lang.NEXT, (expression(guarded, node.guard),), node.guard)
    failed.complete(lang.NEXT, (fits,), node.guard)
    functions = [block.constant(b.graph, node.guard) for b in (guarded, failed)]
    return block.item(block.emit(lang.BRANCH, (fits, *functions), node.guard, logical="and"), 0, node.guard)


@handles_statement(_Bind)
def bind(block: Block, node: _Bind) -> None:
    _bind(block, node.names, node)


def _bind(block: Block, names: Sequence[str], at: ast.AST) -> None:
    for index, name in enumerate(names):
        block.write(name, block.item(block.env[_MATCHED], index + 1, at), at)


def _pattern(block: Block, node: ast.pattern, values: list[Node]) -> Pattern:
    """`node` with its value expressions replaced by their positions in `values`, to which they are appended."""

    def value(tree: ast.expr) -> int:
        values.append(expression(block, tree))
        return len(values) - 1

    def inner(trees: Sequence[ast.pattern]) -> tuple[Pattern, ...]:
        return tuple(_pattern(block, t, values) for t in trees)

    match node:
        case ast.MatchValue():
            return Literal(value(node.value))
        case ast.MatchSingleton():
            return Same(node.value)
        case ast.MatchAs():
            return Capture(node.name, None if node.pattern is None else _pattern(block, node.pattern, values))
        case ast.MatchStar():
            return Star(node.name)
        case ast.MatchSequence():
            return Sequenced(inner(node.patterns))
        case ast.MatchMapping():
            return Mapped(tuple(map(value, node.keys)), inner(node.patterns), node.rest)
        case ast.MatchClass():
            return Instance(value(node.cls), inner(node.patterns), tuple(node.kwd_attrs), inner(node.kwd_patterns))
        case ast.MatchOr():
            return Options(inner(node.patterns))
    raise AssertionError(f"Python has no pattern {type(node).__name__}")
