"""The statements that are signed about each artefact, by the name that their files carry."""

from __future__ import annotations

TYPES = {"provenance": "https://slsa.dev/provenance/v1", "sbom": "https://cyclonedx.org/bom"}
