"""Takes finished artefacts to where users find them: planned, staged, tested, promoted, and only then announced."""
