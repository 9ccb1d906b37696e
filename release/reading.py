"""From a TOML file to a checked model: every failure becomes one ManifestError that names file, line and field."""

import re
import tomllib
from pathlib import Path
from textwrap import shorten
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from release.errors import ManifestError, nearest
from release.fields import Location
from release.toml_lines import line_of

Model = TypeVar("Model", bound=BaseModel)


def read_model(model: type[Model], path: Path) -> Model:
    """The file at `path` as a `model`; ManifestError if it is missing, no TOML, or breaks a rule."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        got = error.strerror or type(error).__name__
        raise ManifestError(str(path), 0, "(file)", "a readable file", got, "check the path") from None
    except UnicodeDecodeError as error:
        raise ManifestError(str(path), 0, "(file)", "UTF-8 text", str(error), "save the file as UTF-8") from None
    return checked(model, text, path)


def checked(model: type[Model], text: str, path: Path) -> Model:
    """`text` as a `model`; ManifestError, which calls it by the name `path`, if it is no TOML or breaks a rule."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(path, text, str(error)) from None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _model_error(path, text, model, error) from None


def _syntax_error(path: Path, text: str, message: str) -> ManifestError:
    found = re.search(r"\(at line (\d+), column (\d+)\)", message)
    line = int(found[1]) if found else text.count("\n") + 1
    lines = text.splitlines()
    got = lines[line - 1].strip() if 0 < line <= len(lines) else "end of file"
    return ManifestError(str(path), line, "(syntax)", "TOML", got, message)


def _model_error(path: Path, text: str, model: type[BaseModel], error: ValidationError) -> ManifestError:
    errors = error.errors(include_url=False)
    # A mistyped key is both unknown and missing; the unknown one is what stands in the file.
    first = next((error for error in errors if error["type"] != "missing"), errors[0])
    where, expected, got, fix = _explain(model, dict(first))
    more = f" ({len(errors) - 1} more after this one)" if len(errors) > 1 else ""
    return ManifestError(str(path), line_of(text, where), spelt(where), expected, got, fix + more)


def spelt(where: Location) -> str:
    """`branch[3].transitions[1].to` for ("branch", 3, "transitions", 1, "to")."""
    text = ""
    for part in where:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".") or "(top level)"


def _explain(model: type[BaseModel], error: dict[str, Any]) -> tuple[Location, str, str, str]:
    where: Location = tuple(error["loc"])
    context = error.get("ctx", {})
    match error["type"]:
        case "rule":
            return where + tuple(context["at"]), context["expected"], context["got"], context["fix"]
        case "missing":
            return where, f"the key `{where[-1]}`", "no such key", "add it"
        case "extra_forbidden":
            keys = known_keys(model.model_json_schema(), where[:-1])
            near = nearest(str(where[-1]), keys)
            fix = f"did you mean `{near}`?" if near else "remove it"
            return where, f"one of the keys {', '.join(keys)}", f"the unknown key `{where[-1]}`", fix
    got = error["input"]
    shown = f"{shorten(repr(got), 80)} ({type(got).__name__})"
    return where, error["msg"].removeprefix("Input should be "), shown, "see manifest.schema.json for the type"


def known_keys(schema: dict[str, Any], where: Location) -> list[str]:
    """The keys that the table at `where` may hold, from the model's JSON schema."""
    node = schema
    for part in where:
        node = _resolved(schema, node)
        deeper = node.get("items") if isinstance(part, int) else node.get("properties", {}).get(part)
        node = deeper or node.get("additionalProperties") or next(iter(node.get("patternProperties", {}).values()), {})
    return list(_resolved(schema, node).get("properties", {}))


def _resolved(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """`node` with an optional's null branch and its reference taken away."""
    for option in node.get("anyOf", ()):
        if option.get("type") != "null":
            node = option
    reference = node.get("$ref", "")
    return schema["$defs"][reference.rsplit("/", 1)[-1]] if reference else node
