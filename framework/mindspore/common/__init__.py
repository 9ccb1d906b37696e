"""Storey 7: tensors, parameters, and the functions made from functions (``jit``, ``grad``)."""
