"""``save_graphs``: each stage of a compilation as a text file, and as a drawing, numbered in order."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from mindspore.base.times import stage
from mindspore.compiler.drawing import to_svg
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
    """Writes ``PATH/NAME_COMPILATION_STAGENUMBER_STAGE.ir``, and ``.svg`` at level 3; does nothing at level 0."""

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
        with stage("save graphs"):
            self._save(name, graph)

    def _save(self, name: str, graph: Graph) -> None:
        stem = f"{self._prefix}_{next(self._stages):02d}_{name}"
        title = f"{Path(stem).name}: {name}"
        self._write(Path(f"{stem}.ir"), to_text(graph, title))
        if self._level >= 3 and graph.result.type is not None:
            self._write(Path(f"{stem}.svg"), to_svg(graph, title))

    def _write(self, target: Path, text: str) -> None:
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        with _named(str(self._prefix.parent)):
            temporary.write_text(text, encoding="utf-8")
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
