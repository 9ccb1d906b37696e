"""The fixtures of this folder."""

from tests.modes import fresh_context, graph_mode, mode

__all__ = ["fresh_context", "graph_mode", "mode"]
