"""The scanner finds each key's line, also where TOML's syntax is at its most varied."""

import tomllib

import pytest

from release.model import DEFAULT
from release.toml_lines import key_lines, line_of

TEXT = '''# a comment with [brackets] = "x"
top = 1
"quoted key" = 'C:\\path'

[a.b]
text = """
[not.a.table]
key = "no\\"t"
"""   # after
inline = { x = 1, y = { z = [1, 2] } }

[[list]]
many = [
    "one", # [first]
    { two = 2 },
]
[list.sub]
v = true
[[list]]
dotted.key = 1979-05-27
[[list.deep]]
n = 1
[[list.deep]]
n = "two"
quotes = """a"""""
last = \'\'\'#\'\'\'
escaped = [
    "say \\"one\\", ]",
    "two"]
'''


@pytest.mark.parametrize(
    ("where", "line"),
    [
        (("top",), 2),
        (("quoted key",), 3),
        (("a", "b"), 5),
        (("a", "b", "text"), 6),
        (("a", "b", "inline", "y", "z", 1), 10),
        (("list", 0), 12),
        (("list", 0, "many", 0), 14),
        (("list", 0, "many", 1, "two"), 15),
        (("list", 0, "sub", "v"), 18),
        (("list", 1, "dotted", "key"), 20),
        (("list", 1, "deep", 0, "n"), 22),
        (("list", 1, "deep", 1), 23),
        (("list", 1, "deep", 1, "last"), 26),
        (("list", 1, "deep", 1, "escaped", 1), 29),
    ],
)
def test_each_key_has_its_line(where: tuple[str | int, ...], line: int) -> None:
    tomllib.loads(TEXT)
    assert key_lines(TEXT)[where] == line


def test_what_is_absent_takes_the_line_of_what_surrounds_it() -> None:
    assert line_of(TEXT, ("list", 1, "deep", 1, "missing")) == 23
    assert line_of(TEXT, ("missing",)) == 1


def test_every_value_of_the_manifest_is_found() -> None:
    text = DEFAULT.read_text(encoding="utf-8")
    lines = key_lines(text)

    def visit(value: object, where: tuple[str | int, ...]) -> None:
        assert not where or where in lines
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, inner in items:
            visit(inner, (*where, key))

    visit(tomllib.loads(text), ())
