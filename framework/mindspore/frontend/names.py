"""Which names a function binds, which a suite assigns, and which variables nested functions share."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
Position = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Names:
    """The variables of one function: all it binds, those that need a box, and those declared elsewhere."""

    local: frozenset[str]
    boxed: frozenset[str]
    global_: frozenset[str]
    nonlocal_: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Binding:
    name: str
    position: Position
    in_loop: bool


def analyse(tree: ast.FunctionDef | ast.Lambda) -> Names:
    """The `Names` of a function.

    A variable needs a box when a nested function reads it and may see another value than that of its one assignment
    before the nested function (Python closures share variables, not values), and when it is assigned where no block can hand it
    on: in the middle of a ``try`` or ``with``, or in a part of an expression that may be skipped.
    """
    body: list[ast.AST] = [tree.body] if isinstance(tree, ast.Lambda) else list(tree.body)
    declared_global = _declared(body, ast.Global)
    declared_nonlocal = _declared(body, ast.Nonlocal)
    bindings = [_Binding(n, (0, 0), False) for n in parameter_names(tree.args)]
    bindings += [b for b in _bindings(body) if b.name not in declared_global | declared_nonlocal]
    local = frozenset(b.name for b in bindings)
    captured, written = _captures(body)
    sites: dict[str, list[_Binding]] = {}
    for binding in [*bindings, *(b for b in _bindings(body, elements=True) if b.name in local)]:
        sites.setdefault(binding.name, []).append(binding)
    shared = written | _assigned_midway(body)
    boxed = frozenset(n for n in local if n in shared or (n in captured and not _settled(sites[n], captured[n])))
    return Names(local, boxed, declared_global, declared_nonlocal)


def _settled(sites: list[_Binding], first_use: Position) -> bool:
    return len(sites) == 1 and not sites[0].in_loop and sites[0].position < first_use


def parameter_names(arguments: ast.arguments) -> list[str]:
    """All parameters in the order of a function's graph: positional, keyword-only, ``*``, ``**``."""
    plain = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return plain + [a.arg for a in (arguments.vararg, arguments.kwarg) if a is not None]


def assigned(suite: Iterable[ast.AST]) -> tuple[str, ...]:
    """The names that `suite` binds, in order of appearance; bodies of nested functions excluded."""
    return tuple(dict.fromkeys(b.name for b in _bindings(list(suite))))


def walk_scope(roots: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The nodes below `roots` that run in the same function, in source order: nested functions are given, not entered."""
    stack = list(roots)[::-1]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, _FUNCTIONS):
            stack.extend(reversed(_evaluated_at_definition(node)))
        elif not isinstance(node, ast.ClassDef):
            stack.extend(reversed(list(ast.iter_child_nodes(node))))


def with_elements(suite: Iterable[ast.AST]) -> tuple[str, ...]:
    """The names that `suite` binds, and those whose elements it assigns: the values of both may be others afterwards."""
    body = list(suite)
    return tuple(dict.fromkeys(b.name for b in (*_bindings(body), *_bindings(body, elements=True))))


def own_nodes(tree: ast.FunctionDef | ast.Lambda) -> Iterator[ast.AST]:
    """What runs when the function itself runs."""
    body: list[ast.AST] = [tree.body] if isinstance(tree, ast.Lambda) else list(tree.body)
    return walk_scope(body)


def _evaluated_at_definition(node: ast.AST) -> list[ast.AST]:
    assert isinstance(node, _FUNCTIONS)
    given: list[ast.AST] = [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
    return given if isinstance(node, ast.Lambda) else [*node.decorator_list, *given]


def _bindings(body: list[ast.AST], elements: bool = False) -> Iterator[_Binding]:
    """Where names are bound, or with `elements` where elements of what they are bound to are assigned."""
    stack: list[tuple[ast.AST, bool, frozenset[str]]] = [(n, False, frozenset()) for n in reversed(body)]
    while stack:
        node, looping, hidden = stack.pop()
        name = _owner_name(node) if elements else _bound_name(node)
        if name is not None and name not in hidden:
            yield _Binding(name, (node.lineno, node.col_offset), looping)  # type: ignore[attr-defined]
        if isinstance(node, _FUNCTIONS):
            children: list[ast.AST] = _evaluated_at_definition(node)
        else:
            children = list(ast.iter_child_nodes(node))
        if isinstance(node, _COMPREHENSIONS):
            hidden = hidden | comprehension_names(node.generators)
            looping = True
        looping = looping or isinstance(node, ast.For | ast.While)
        stack.extend((c, looping, hidden) for c in reversed(children))


def _bound_name(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name):
        return node.id if isinstance(node.ctx, ast.Store | ast.Del) else None
    if isinstance(node, ast.alias):
        return node.asname or node.name.partition(".")[0]
    if isinstance(node, ast.MatchMapping):
        return node.rest
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
        return node.name
    return None


def comprehension_names(generators: Iterable[ast.comprehension]) -> frozenset[str]:
    """The variables of a comprehension, which hide those of the function."""
    return frozenset(t.id for g in generators for t in ast.walk(g.target) if isinstance(t, ast.Name))


def has_walrus(tree: ast.AST) -> bool:
    return any(isinstance(n, ast.NamedExpr) for n in ast.walk(tree))


def _assigned_midway(body: list[ast.AST]) -> set[str]:
    """Names assigned in ``try`` and ``with``, or by ``:=`` in a part of an expression that may be skipped or repeated."""
    found: set[str] = set()
    for node in walk_scope(body):
        if isinstance(node, ast.Try | ast.With):
            found.update(with_elements([node]))
        elif isinstance(node, ast.expr):
            walked = [n for part in _skippable(node) for n in ast.walk(part)]
            found.update(n.target.id for n in walked if isinstance(n, ast.NamedExpr))
        elif isinstance(node, ast.Assert) and node.msg is not None:
            found.update(n.target.id for n in ast.walk(node.msg) if isinstance(n, ast.NamedExpr))
    return found


def _skippable(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BoolOp):
        return node.values[1:]
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, ast.Compare):
        return node.comparators[1:]
    return [node] if isinstance(node, _COMPREHENSIONS) else []


def _owner_name(node: ast.AST) -> str | None:
    """``x`` for the target ``x[i][j]``."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.ctx, ast.Store):
        return None
    owner: ast.expr = node
    while isinstance(owner, ast.Subscript):
        owner = owner.value
    return owner.id if isinstance(owner, ast.Name) else None


def _declared(body: list[ast.AST], kind: type[ast.Global] | type[ast.Nonlocal]) -> frozenset[str]:
    return frozenset(n for s in walk_scope(body) if isinstance(s, kind) for n in s.names)


def _captures(body: list[ast.AST]) -> tuple[dict[str, Position], set[str]]:
    """First position at which a nested function that reads each name stands, and the names that nested functions write."""
    read: dict[str, Position] = {}
    written: set[str] = set()
    for node in walk_scope(body):
        if isinstance(node, _FUNCTIONS):
            free, changed = _free_names(node)
            written |= changed
            for name in free:
                read.setdefault(name, (node.lineno, node.col_offset))
    return read, written


def _free_names(tree: ast.AST) -> tuple[set[str], set[str]]:
    """Names that a nested function takes from outside, and those among them that it writes."""
    assert isinstance(tree, _FUNCTIONS)
    body: list[ast.AST] = [tree.body] if isinstance(tree, ast.Lambda) else list(tree.body)
    written = set(_declared(body, ast.Nonlocal))
    own = set(parameter_names(tree.args)) | (set(assigned(body)) - written)
    read = {n.id for n in walk_scope(body) if isinstance(n, ast.Name)}
    written |= {b.name for b in _bindings(body, elements=True)} - own
    for node in walk_scope(body):
        if isinstance(node, _FUNCTIONS):
            free, changed = _free_names(node)
            read |= free
            written |= changed - own
    return (read | written) - own, written
