"""``save_graphs``: each stage of a compilation as a text file, numbered in order."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from mindspore.ir.graph import Graph
from mindspore.ir.printer import to_text

_compilations = count()


@contextmanager
def _named(folder: str) -> Iterator[None]:
    """Errors of the file system say which setting led there."""
    try:
        yield
    except OSError as error:
        why = f"graphs cannot be saved in 'save_graphs_path' ({error.strerror}); choose another folder or set save_graphs=0"
        raise type(error)(error.errno, why, folder) from None


class GraphSaver:
    """Writes ``PATH/NAME_COMPILATION_STAGENUMBER_STAGE.ir``; does nothing at level 0."""

    def __init__(self, name: str, level: int, path: str) -> None:
        self._level = level
        self._stages = count()
        if level:
            self._prefix = Path(path) / f"{re.sub(r'[^A-Za-z0-9_]+', '_', name)}_{next(_compilations):04d}"
            with _named(path):
                self._prefix.parent.mkdir(parents=True, exist_ok=True)

    def stage(self, name: str, graph: Graph, detail: bool = False) -> None:
        """Saves `graph` as it is after stage `name`; a `detail` only at level 2 and above."""
        if not self._level or (detail and self._level < 2):
            return
        target = Path(f"{self._prefix}_{next(self._stages):02d}_{name}.ir")
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        with _named(str(self._prefix.parent)):
            temporary.write_text(to_text(graph, f"{target.stem}: {name}"), encoding="utf-8")
            temporary.replace(target)

    def parsed(self, parse: Callable[..., Any]) -> Callable[..., Any]:
        """`parse`, saving each untyped graph it returns."""
        if not self._level:
            return parse

        def parse_and_save(*args: Any, **kwargs: Any) -> Any:
            graph = parse(*args, **kwargs)
            if isinstance(graph, Graph):
                self.stage(f"parsed_{re.sub(r'[^A-Za-z0-9_]+', '_', graph.name)}", graph)
            return graph

        return parse_and_save
