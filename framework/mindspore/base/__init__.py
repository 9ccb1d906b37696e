"""Storey 0: dtypes, shapes, errors and the protocols by which objects of higher storeys are recognised."""
