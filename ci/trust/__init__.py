"""Signatures, bills of materials and provenance; knows nothing of where artefacts are published."""
