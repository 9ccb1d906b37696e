"""Storey 3: abstract interpretation: turns untyped graphs and argument types into one typed graph."""
