"""Where each key of a TOML text stands. The text must already have parsed: this scanner only looks for places.

Edits are made to the text itself, at these places: no TOML library that was tried gives back every space and comment.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from release.fields import Location


class Span(NamedTuple):
    """The characters from `start` up to `end`, not included."""

    start: int
    end: int


class Edit(NamedTuple):
    """`text` in the place of `span`."""

    span: Span
    text: str


def apply(text: str, edits: Iterable[Edit]) -> str:
    """`text` with all edits made; their spans are those of `text` and do not overlap."""
    for edit in sorted(edits, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


class Places:
    """The places of a text: `values` (also those of array elements), `pairs` (key and value), `tables` (headers with
    all that follows up to the next header, without the comments that belong to that)."""

    def __init__(self, text: str) -> None:
        scan = _Scanner(text)
        scan.document()
        self.text, self.values, self.pairs, self.tables = text, scan.values, scan.pairs, scan.tables

    def length(self, where: Location) -> int:
        """The number of elements of the array at `where`."""
        index = 0
        while (*where, index) in self.values:
            index += 1
        return index

    def line_end(self, at: int) -> int:
        """The place of the newline that ends the line of `at`, or the text's end."""
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end


def line_of(text: str, where: Location) -> int:
    """The line, from 1, of the key or table at `where`, or of the nearest thing around it that the text holds."""
    lines = key_lines(text)
    while where and where not in lines:
        where = where[:-1]
    return lines.get(where, 1)


def key_lines(text: str) -> dict[Location, int]:
    """Line of every table, key and array element, by location."""
    scan = _Scanner(text)
    scan.document()
    return scan.lines


@dataclass
class _Scanner:
    text: str
    at: int = 0
    lines: dict[Location, int] = field(default_factory=dict)
    counts: dict[Location, int] = field(default_factory=dict)
    values: dict[Location, Span] = field(default_factory=dict)
    pairs: dict[Location, Span] = field(default_factory=dict)
    tables: dict[Location, Span] = field(default_factory=dict)

    def document(self) -> None:
        table: Location = ()
        start = 0
        self.blank()
        while self.at < len(self.text):
            if self.peek("["):
                start, table = self.at, self.header()
            else:
                self.pair(table)
            self.tables[table] = Span(start, self.at)
            self.blank()

    def header(self) -> Location:
        start, many = self.at, self.peek("[[")
        self.at += 2 if many else 1
        keys = self.key()
        self.at += 2 if many else 1
        table = self.inside(keys[:-1], start) + keys[-1:] if many else self.inside(keys, start)
        if many:
            self.counts[table] = self.counts.get(table, -1) + 1
            self.mark(table, start)
            table += (self.counts[table],)
        self.mark(table, start)
        return table

    def inside(self, keys: Location, start: int) -> Location:
        """`keys` with the index of the newest element put in after each array of tables; marks tables on the way."""
        table: Location = ()
        for key in keys:
            table += (key,)
            self.mark(table, start)
            if table in self.counts:
                table += (self.counts[table],)
        return table

    def pair(self, table: Location) -> None:
        start = self.at
        keys = self.key()
        self.at += 1
        self.blank()
        for depth in range(1, len(keys) + 1):
            self.mark(table + keys[:depth], start)
        self.value(table + keys)
        self.pairs[table + keys] = Span(start, self.values[table + keys].end)

    def value(self, where: Location) -> None:
        start = self.at
        if self.peek("["):
            self.sequence(where, "]")
        elif self.peek("{"):
            self.sequence(where, "}")
        elif self.peek('"') or self.peek("'"):
            self.string()
        else:
            while self.at < len(self.text) and self.text[self.at] not in ",]}#\n":
                self.at += 1
        self.values[where] = Span(start, start + len(self.text[start : self.at].rstrip()))

    def sequence(self, where: Location, close: str) -> None:
        self.at += 1
        index = 0
        self.blank(",")
        while not self.peek(close):
            if close == "]":
                self.mark((*where, index), self.at)
                self.value((*where, index))
            else:
                self.pair(where)
            index += 1
            self.blank(",")
        self.at += 1

    def key(self) -> Location:
        parts: list[str] = []
        while not self.peek("=") and not self.peek("]"):
            if self.peek('"') or self.peek("'"):
                parts.append(self.string())
            elif self.text[self.at] in " \t.":
                self.at += 1
            else:
                start = self.at
                while self.text[self.at] not in " \t.=]":
                    self.at += 1
                parts.append(self.text[start : self.at])
        return tuple(parts)

    def string(self) -> str:
        quote = self.text[self.at]
        quote = quote * 3 if self.peek(quote * 3) else quote
        start = self.at = self.at + len(quote)
        while not self.peek(quote):
            self.at += 2 if quote[0] == '"' and self.peek("\\") else 1
        body = self.text[start : self.at]
        self.at += len(quote)
        while len(quote) == 3 and self.peek(quote[0]):  # a quote just before the closing three belongs to the string
            self.at += 1
        return body

    def blank(self, also: str = "") -> None:
        """Skip white space, comments and the characters in `also`."""
        while self.at < len(self.text) and self.text[self.at] in " \t\r\n#" + also:
            if self.peek("#"):
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            else:
                self.at += 1

    def peek(self, word: str) -> bool:
        return self.text.startswith(word, self.at)

    def mark(self, where: Location, at: int) -> None:
        self.lines.setdefault(where, self.text.count("\n", 0, at) + 1)
