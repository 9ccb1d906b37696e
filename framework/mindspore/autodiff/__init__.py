"""Storey 4: gradients by transforming graphs. The engine knows no operator; each rule stands in its declaration."""
