"""The coming year as a drawing: a bar for each living branch, coloured by phase, hatched where it is expected."""

from collections.abc import Iterator
from datetime import date
from xml.etree import ElementTree as Xml

from release.branches import FINAL, Phase
from release.lifecycle import add_months
from release.model import Manifest
from release.planning import MONTHS, Stay, stays

LEFT, TOP, WIDTH, ROW, BAR = 70, 46, 900, 28, 18  # pixels
BEHIND = 3  # months shown before the day itself
COLOURS = {
    Phase.PLANNING: "#b9a3e3",
    Phase.DEVELOPMENT: "#7fb2e5",
    Phase.MAINTAINED: "#7ccf8a",
    Phase.UNMAINTAINED: "#e8c46a",
}


def timeline(manifest: Manifest, as_of: date) -> str:
    """An SVG of the year after `as_of` and the three months before it."""
    start, end = add_months(as_of, -BEHIND), add_months(as_of, MONTHS)
    rows: dict[str, list[Stay]] = {}
    for stay in stays(manifest, as_of):
        rows.setdefault(stay.branch, []).append(stay)
    rows = {name: found for name, found in rows.items() if _alive(found, start)}
    height = TOP + ROW * len(rows) + 40
    drawing = _Drawing(start, end, height)
    drawing.text(LEFT, 16, f"Branches as of {as_of}", bold=True)
    for number, (name, found) in enumerate(rows.items()):
        y = TOP + ROW * number
        drawing.text(8, y + BAR - 4, name)
        for stay in found:
            drawing.bar(stay, y)
    for month in _months(start, end):
        drawing.line(month, "#cccccc")
        drawing.text(drawing.x(month) + 2, TOP - 8, f"{month:%Y-%m}")
    drawing.line(as_of, "#c00000")
    for number, (phase, colour) in enumerate(COLOURS.items()):
        drawing.rect(LEFT + 170 * number, height - 22, 12, 12, fill=colour)
        drawing.text(LEFT + 170 * number + 18, height - 12, str(phase))
    return drawing.svg()


def _alive(found: list[Stay], start: date) -> bool:
    """Whether the branch was not yet at its end on `start`."""
    last = found[-1]
    return last.phase not in FINAL or last.start > start


def _months(start: date, end: date) -> Iterator[date]:
    first = start.replace(day=1)
    months = (add_months(first, number) for number in range(1, BEHIND + MONTHS + 1))
    yield from (month for month in months if start < month < end)


class _Drawing:
    def __init__(self, start: date, end: date, height: int) -> None:
        self.start, self.end, self.height = start, end, height
        size = {"viewBox": f"0 0 {LEFT + WIDTH + 20} {height}", "font-family": "sans-serif", "font-size": "11"}
        self.root = Xml.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **size})
        self.add("rect", x=0, y=0, width="100%", height="100%", fill="white")

    def add(self, what: str, **attributes: object) -> Xml.Element:
        values = {name.replace("_", "-"): str(value) for name, value in attributes.items()}
        return Xml.SubElement(self.root, what, values)

    def x(self, day: date) -> int:
        """The day's column, clamped to the drawing."""
        share = (min(max(day, self.start), self.end) - self.start).days / (self.end - self.start).days
        return LEFT + round(share * WIDTH)

    def text(self, x: int, y: int, words: str, bold: bool = False) -> None:
        self.add("text", x=x, y=y, fill="#222222", font_weight="bold" if bold else "normal").text = words

    def rect(self, x: int, y: int, width: int, height: int, **attributes: object) -> Xml.Element:
        return self.add("rect", x=x, y=y, width=width, height=height, **attributes)

    def line(self, day: date, colour: str) -> None:
        self.add("line", x1=self.x(day), y1=TOP - 4, x2=self.x(day), y2=self.height - 30, stroke=colour)

    def bar(self, stay: Stay, y: int) -> None:
        """The stay's bar: solid up to what is known, pale where it is expected; nothing for a final phase."""
        left, right = self.x(stay.start), self.x(stay.end or self.end)
        if stay.phase in FINAL or right <= left:
            return
        opacity = 1 if stay.known else 0.55
        dashes = "none" if stay.certain else "4 3"
        box = self.rect(left, y, right - left, BAR, fill=COLOURS[stay.phase], fill_opacity=opacity)
        box.set("stroke", "#555555")
        box.set("stroke-dasharray", dashes)
        Xml.SubElement(box, "title").text = f"{stay.branch} {stay.phase}: {stay.start} to {stay.end or 'open'}"

    def svg(self) -> str:
        Xml.indent(self.root)
        return Xml.tostring(self.root, encoding="unicode") + "\n"
