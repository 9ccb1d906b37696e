"""How to compile."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """``backend`` by name; ``save_graphs`` 0 nothing, 1 the typed and the final graph, 2 every stage, 3 also drawn,
    under ``save_graphs_path``; ``max_call_depth``: how deep calls are followed into;
    ``kept``: the compilation is kept on disk."""

    backend: str = "cpu"
    save_graphs: int = 0
    save_graphs_path: str = "."
    max_call_depth: int = 1000
    kept: bool = True
