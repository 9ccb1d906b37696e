"""Constructs with a scope of their own: functions, lambdas and comprehensions."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from mindspore.frontend.assignment import assign
from mindspore.frontend.names import Names, analyse, comprehension_names, own_nodes, parameter_names
from mindspore.frontend.refusals import refuse, syntax_error
from mindspore.frontend.source import Source
from mindspore.frontend.translate import Block, Function, expression, handles_expression, handles_statement, suite
from mindspore.infer import language as lang
from mindspore.ir.graph import Graph, Node


def function_graph(source: Source, name: str, free: frozenset[str], outer: Block | None) -> Graph:
    """The graph of the function `source`: one parameter per Python parameter; its result is a completion with case RETURN."""
    tree = source.tree
    for node in own_nodes(tree):
        if isinstance(node, ast.Await):
            raise refuse(source.location(node), node)
        if isinstance(node, ast.Yield | ast.YieldFrom) and not isinstance(tree, _Body):
            if isinstance(tree, ast.Lambda):
                message = "'yield' is not supported in a lambda of a compiled function. Define a function."
                raise syntax_error(source.location(node), message)
            return _generator_graph(source, tree, name, free, outer)
    function = Function(source, name, analyse(tree), free, outer)
    block = Block(function, name, source.location(tree))
    for parameter in parameter_names(tree.args):
        block.env[parameter] = block.parameter(parameter)
    for variable in sorted(function.names.boxed):
        block.env[variable] = block.emit(lang.BOX, block.current((variable,), tree), tree)
    if isinstance(tree, ast.Lambda):
        block.complete(lang.RETURN, (expression(block, tree.body),), tree.body)
    else:
        suite(block, tree.body, _return_none, tree)
    return block.graph


class _Body(ast.FunctionDef):
    """A generator function as the one that runs when elements are taken."""


def _generator_graph(
    source: Source, tree: ast.FunctionDef, name: str, free: frozenset[str], outer: Block | None
) -> Graph:
    """A function whose result is the generator over a call of its body with the same arguments."""
    parameters = parameter_names(tree.args)
    plain = ast.arguments([], [ast.arg(p) for p in parameters], None, [], [], None, [])
    body = ast.copy_location(_Body(tree.name, plain, tree.body, []), tree)
    block = Block(
        Function(source, name, Names(frozenset(parameters), *[frozenset[str]()] * 3), free, outer),
        name,
        source.location(tree),
    )
    for parameter in parameters:
        block.env[parameter] = block.parameter(parameter)
    function = _nested(block, body, name)
    block.complete(lang.RETURN, (block.emit(lang.GENERATE, (function, *block.graph.parameters), tree),), tree)
    return block.graph


@handles_expression(ast.Yield)
def yield_(block: Block, node: ast.Yield) -> Node:
    value = block.constant(None, node) if node.value is None else expression(block, node.value)
    return block.emit(lang.YIELD, (value,), node)


@handles_expression(ast.YieldFrom)
def yield_from(block: Block, node: ast.YieldFrom) -> Node:
    return block.emit(lang.YIELD_FROM, (expression(block, node.value),), node)


def _return_none(block: Block, at: ast.AST) -> None:
    block.complete(lang.RETURN, (block.constant(None, at),), at)


@handles_expression(ast.Lambda)
def lambda_(block: Block, node: ast.Lambda) -> Node:
    return _nested(block, node, "lambda")


@handles_statement(ast.FunctionDef)
def definition(block: Block, node: ast.FunctionDef) -> None:
    decorators = [expression(block, d) for d in node.decorator_list]
    value = _nested(block, node, node.name)
    for decorator, tree in reversed(list(zip(decorators, node.decorator_list, strict=True))):
        value = block.emit(lang.INVOKE, (decorator, value), tree, kinds=("",))
    block.write(node.name, value, node)


def _nested(block: Block, node: ast.FunctionDef | ast.Lambda, name: str) -> Node:
    outer = block.function.source
    source = Source(node, outer.file, outer.lines, f"{outer.function}.{name}", outer.owner)
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = dict(
        zip([a.arg for a in positional[len(positional) - len(arguments.defaults) :]], arguments.defaults, strict=True)
    )
    defaults |= {a.arg: d for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None}
    signature = lang.Signature(
        len(arguments.posonlyargs),
        tuple(a.arg for a in positional),
        tuple(a.arg for a in arguments.kwonlyargs),
        arguments.vararg.arg if arguments.vararg else None,
        arguments.kwarg.arg if arguments.kwarg else None,
        tuple(defaults),
    )
    values = [expression(block, d) for d in defaults.values()]
    graph = block.constant(function_graph(source, name, frozenset(), block), node)
    return block.emit(lang.FUNCTION, (graph, *values), node, signature=signature)


@handles_expression(ast.ListComp)
def list_comprehension(block: Block, node: ast.ListComp) -> Node:
    return _collect(block, node.generators, [node.elt], node)


@handles_expression(ast.GeneratorExp)
def generator(block: Block, node: ast.GeneratorExp) -> Node:
    collected = _collect(block, node.generators, [node.elt], node)
    return block.emit(lang.DISPLAY, (collected,), node, kind="iterator", starred=(True,))


@handles_expression(ast.SetComp)
def set_comprehension(block: Block, node: ast.SetComp) -> Node:
    collected = _collect(block, node.generators, [node.elt], node)
    return block.emit(lang.DISPLAY, (collected,), node, kind="set", starred=(True,))


@handles_expression(ast.DictComp)
def dict_comprehension(block: Block, node: ast.DictComp) -> Node:
    pairs = _collect(block, node.generators, [node.key, node.value], node)
    return block.emit(lang.INVOKE, (block.constant(dict, node), pairs), node, kinds=("",))


def _collect(block: Block, generators: Sequence[ast.comprehension], element: list[ast.expr], at: ast.expr) -> Node:
    first = generators[0]
    if first.is_async:
        raise syntax_error(
            block.location(first.target),
            "'async for' is not supported in a compiled function. Use a plain comprehension.",
        )
    iterable = expression(block, first.iter)
    body = block.child("comprehension", first.target)
    body.loop = None
    body.hidden |= comprehension_names(generators[:1])
    item = body.parameter("item")
    assign(body, first.target, item)
    result = _filtered(body, list(first.ifs), generators[1:], element, at)
    body.end(result)
    return block.emit(lang.COLLECT, (iterable, block.constant(body.graph, at)), at)


def _filtered(
    block: Block, tests: list[ast.expr], rest: Sequence[ast.comprehension], element: list[ast.expr], at: ast.expr
) -> Node:
    """The list that one item contributes: of the element, of the inner generators, or empty when a test fails."""
    if not tests:
        if rest:
            return _collect(block, rest, element, at)
        values = [expression(block, e) for e in element]
        value = (
            values[0]
            if len(values) == 1
            else block.emit(lang.DISPLAY, values, at, kind="tuple", starred=(False,) * len(values))
        )
        return block.emit(lang.DISPLAY, (value,), at, kind="list", starred=(False,))
    condition = expression(block, tests[0])
    keep, skip = block.child("kept", tests[0]), block.child("skipped", tests[0])
    keep.complete(lang.NEXT, (_filtered(keep, tests[1:], rest, element, at),), tests[0])
    skip.complete(lang.NEXT, (skip.emit(lang.DISPLAY, (), at, kind="list", starred=()),), tests[0])
    functions = [block.constant(b.graph, tests[0]) for b in (keep, skip)]
    return block.item(block.emit(lang.BRANCH, (condition, *functions), tests[0], logical=""), 0, tests[0])
