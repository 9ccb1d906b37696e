"""Renders templates; a broken one is a ProjectFileError that names its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

from ci.errors import ProjectFileError
from ci.paths import ROOT


def render(template: Path, facts: dict[str, Any], root: Path = ROOT, brackets: bool = False) -> str:
    """The template (relative to `root`) filled with `facts`; with `brackets` in place of braces, for files that use
    braces themselves. What it includes lies beside it or in the folder above.
    """
    environment = Environment(
        loader=FileSystemLoader([root / template.parent, root / template.parent.parent]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    if brackets:
        environment = environment.overlay("[%", "%]", "[[", "]]", "[#", "#]")
    try:
        return environment.get_template(template.name).render(facts)
    except TemplateError as error:
        where = f"{template}:{getattr(error, 'lineno', '?')}"
        raise ProjectFileError("the template cannot be rendered", where=where, got=str(error)) from error
