"""Storey 2: one declaration per operator. Importing this package declares them all."""

from __future__ import annotations

from importlib import import_module

FAMILIES = (
    "elementwise",
    "special",
    "arithmetic",
    "several",
    "comparison",
    "logical",
    "selection",
    "creation",
    "movement",
    "slicing",
    "strided",
    "gathering",
    "scattering",
    "segments",
    "tables",
    "reduction",
    "cumulative",
    "running",
    "ordering",
    "contraction",
    "convolution",
    "plane_convolution",
    "pooling",
    "normalization",
    "activation",
    "soft_activation",
    "loss",
    "optimizer",
    "adam",
    "scaled_steps",
    "random",
    "attention",
)
"""The files that declare operators; a new family is added here and nowhere else."""

for _family in FAMILIES:
    import_module(f"mindspore.primitives.{_family}")
