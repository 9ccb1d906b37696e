"""Storey 4: Python source to untyped graphs in A-normal form."""
