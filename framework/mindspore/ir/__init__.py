"""Storey 1: the functional graph: types, operators, nodes, builder, printer, verifier, rewriting."""
