"""Whatever stands in the manifest: it is taken, and then everything that follows from it can be made, or refused in one message."""

import copy
import json
import tomllib
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from release.advance import Advance, advanced
from release.errors import ManifestError, ReleaseError
from release.fields import FIRST_DAY, LAST_DAY
from release.generate import outputs
from release.guards import may_merge, may_tag_version
from release.lifecycle import check, status
from release.matrix import tags_for
from release.model import DEFAULT, Manifest, parse_manifest
from release.shards import matrix
from release.tables import text_table

Result = TypeVar("Result")
TEXT = DEFAULT.read_text(encoding="utf-8")
DATA = tomllib.loads(TEXT)
PATH = Path("release/manifest.toml")
DAYS = st.dates(FIRST_DAY, LAST_DAY)
WORDS = st.sampled_from(
    ["", "x", "3.11", "3.99", "r2.0", "EOL", "Maintained", "debian12", "gpu", "a|b\nc", "甲" * 9, "2.0.0"]
)
SCALARS = WORDS | st.integers(-5, 2**70) | st.booleans() | DAYS | st.dates() | st.floats(allow_nan=False)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["to", "on", "x"]), inner, max_size=2),
    max_leaves=4,
)


def places(value: Any, where: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*where, key)
        yield from places(inner, (*where, key))


PLACES = list(places(DATA))


def toml(value: Any) -> str:
    """A value as TOML, in one line."""
    match value:
        case dict():
            return "{" + ", ".join(f"{json.dumps(key)} = {toml(inner)}" for key, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case date():
            return str(value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return json.dumps(value)


def refusal(make: Callable[[], Result]) -> tuple[Result | None, ReleaseError | None]:
    """What `make` gives, or how it refuses; any other exception is a defect."""
    try:
        return make(), None
    except ReleaseError as error:
        return None, error


def taken(text: str) -> Manifest | None:
    """The manifest, or None when it was refused as it should be."""
    found, error = refusal(lambda: parse_manifest(text, PATH))
    if error is None:
        return found
    assert isinstance(error, ManifestError)
    first, *rest = str(error).split("\n")
    assert first.startswith(f"{PATH}:{error.line}: {error.field}")
    assert 1 <= error.line <= text.count("\n") + 1
    assert [line.split(":")[0].strip() for line in rest if line.startswith("  ")][:1] == ["expected"]
    assert "fix: " in str(error)
    assert error.exit_code == 2
    return None


def follows(manifest: Manifest, day: date) -> None:
    """Everything that is made of a manifest."""
    assert outputs(manifest)
    assert text_table(status(manifest, day))
    assert isinstance(check(manifest, day), list)
    assert matrix(manifest)["images"]["include"]
    assert all(isinstance(may_merge(state).reason, str) for state in status(manifest, day))
    version = manifest.current.text
    for make in (
        lambda: may_tag_version(manifest, version, day).reason,
        lambda: [tags_for(manifest, row, kind) for row in manifest.image_rows() for kind in row.kinds],
    ):
        made, error = refusal(make)
        assert made if error is None else error.exit_code in (1, 2)


@given(st.sampled_from(PLACES), VALUES, st.sampled_from(["replace", "remove", "rename", "twice"]), DAYS)
@settings(max_examples=200, deadline=None)
def test_any_value_anywhere(where: tuple[Any, ...], value: Any, action: str, day: date) -> None:
    data = copy.deepcopy(DATA)
    table: Any = data
    for key in where[:-1]:
        table = table[key]
    old = table[where[-1]]
    if action == "replace":
        table[where[-1]] = value
    elif action == "remove":
        del table[where[-1]]
    elif isinstance(table, list):
        table.append(copy.deepcopy(old))
    else:
        table[f"{where[-1]}x"] = table.pop(where[-1]) if action == "rename" else old
    found = taken("".join(f"{json.dumps(key)} = {toml(inner)}\n" for key, inner in data.items()))
    if found:
        follows(found, day)


@given(st.integers(0, len(TEXT)), st.integers(0, 40), st.text(max_size=8), DAYS)
@settings(max_examples=150, deadline=None)
def test_any_edit_of_the_text(at: int, length: int, new: str, day: date) -> None:
    found = taken(TEXT[:at] + new + TEXT[at + length :])
    if found:
        follows(found, day)


@given(st.sampled_from([branch["name"] for branch in DATA["branch"]] + ["r3.0", ""]), DAYS, DAYS, st.text(max_size=12))
@settings(max_examples=60, deadline=None)
def test_any_advance(branch: str, on: date, following: date, reason: str) -> None:
    step = Advance(branch, on, following=following, reason=reason)
    text, error = refusal(lambda: advanced(TEXT, step, PATH, LAST_DAY))
    if text is None:
        assert error is not None
        assert error.exit_code in (1, 2)
    else:
        assert parse_manifest(text, PATH).project.docs_as_of >= date(2026, 11, 22)
