"""Storey 6: the stages from a Python function and its arguments to a native executable, in order."""
