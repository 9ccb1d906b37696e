"""The file by which an image says, whenever it runs, in which phase of its life its branch is (`mindspore-phase` reads it)."""

from __future__ import annotations

from pathlib import Path

from release.branches import Branch
from release.model import Manifest

PATH = Path("docker/share/branch")


def text(branch: Branch) -> str:
    """A line for each transition: the phase, its actual date and its estimated one, `-` where there is none."""
    lines = [f"{step.to} {step.actual or '-'} {step.estimated or '-'}" for step in branch.transitions]
    return "\n".join([f"branch {branch.name}", *lines]) + "\n"


def outputs(manifest: Manifest) -> dict[Path, str]:
    """The generated file of the branch that this checkout builds."""
    return {PATH: text(manifest.by_name(manifest.project.branch))}
