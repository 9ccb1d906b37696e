"""``import`` inside a function: the module is a constant."""

from __future__ import annotations

import ast

from mindspore.frontend.translate import Block, handles_statement
from mindspore.infer import language as lang


@handles_statement(ast.Import)
def import_(block: Block, node: ast.Import) -> None:
    for alias in node.names:
        names = ("*",) if alias.asname else ()
        module = block.emit(lang.IMPORT, (), node, module=alias.name, names=names, level=0)
        block.write(alias.asname or alias.name.partition(".")[0], module, node)


@handles_statement(ast.ImportFrom)
def import_from(block: Block, node: ast.ImportFrom) -> None:
    names = tuple(alias.name for alias in node.names)
    module = block.emit(lang.IMPORT, (), node, module=node.module or "", names=names, level=node.level)
    for alias in node.names:
        value = block.emit(lang.ATTRIBUTE, (module,), node, name=alias.name)
        block.write(alias.asname or alias.name, value, node)
