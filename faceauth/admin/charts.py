"""Bar charts as plain numbers, which a template draws as SVG: no script and no inline style."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

WIDTH, HEIGHT = 720, 150
LEFT, BOTTOM, TOP = 44, 22, 16
GAP = 2

# Labels under the bars: more would run into each other.
LABELS = 6


class Column(NamedTuple):
    """What stands above one place of the axis: two counts, one upon the other."""

    label: str
    good: int
    bad: int


class Bar(NamedTuple):
    """A rectangle. `kind` is good or bad, `title` what it stands for."""

    x: int
    y: int
    width: int
    height: int
    kind: str
    title: str


class Mark(NamedTuple):
    """A line or a label at a place."""

    x: int
    y: int
    text: str


class Chart(NamedTuple):
    """All that the template draws, and the same as a table."""

    title: str
    good: str
    bad: str
    columns: Sequence[Column]
    bars: list[Bar]
    labels: list[Mark]
    lines: list[Mark]
    highest: int

    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    middle: int = (LEFT + WIDTH) // 2
    top: int = TOP
    base: int = HEIGHT - BOTTOM

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.bars


def chart(
    title: Any,
    columns: Sequence[Column],
    *,
    good: Any,
    bad: Any,
    lines: Sequence[tuple[float, Any]] = (),
) -> Chart:
    """A chart of columns from left to right.

    good, bad: what the two counts are of.
    lines: vertical ones, each at a place in units of columns and with its label.
    """
    highest = max((each.good + each.bad for each in columns), default=0)
    step = (WIDTH - LEFT) / max(len(columns), 1)
    bars = [
        bar
        for index, column in enumerate(columns)
        for bar in _bars(column, round(LEFT + index * step), round(step), highest, good, bad)
    ]
    every = -(-len(columns) // LABELS) or 1
    labels = [
        Mark(round(LEFT + (index + 0.5) * step), HEIGHT - 6, column.label)
        for index, column in enumerate(columns)
        if index % every == 0
    ]
    marks = [
        Mark(round(LEFT + place * step), 10 + 12 * row, str(text))
        for row, (place, text) in enumerate(lines)
    ]
    return Chart(str(title), str(good), str(bad), columns, bars, labels, marks, highest)


def _bars(column: Column, x: int, step: int, highest: int, good: Any, bad: Any) -> list[Bar]:
    room, top = HEIGHT - BOTTOM - TOP, HEIGHT - BOTTOM
    bars = []
    for kind, count, name in (("good", column.good, good), ("bad", column.bad, bad)):
        if count:
            # What there is can be seen, however little it is.
            height = max(round(room * count / highest), 1)
            top -= height
            title = f"{column.label}: {count:,} {name}"
            bars.append(Bar(x, top, max(step - GAP, 1), height, kind, title))
    return bars
