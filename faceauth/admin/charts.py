"""Bar charts as plain numbers. A template draws them as SVG, without scripts or inline styles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

WIDTH, HEIGHT = 720, 150
LEFT, BOTTOM, TOP = 44, 22, 16
GAP = 2

# The maximum number of labels below the bars; more would overlap.
MAX_LABELS = 6


class Column(NamedTuple):
    """A column of the chart: two counts, stacked."""

    label: str
    good: int
    bad: int


class Bar(NamedTuple):
    """A rectangle. Its `kind` is "good" or "bad", its `title` describes the count."""

    x: int
    y: int
    width: int
    height: int
    kind: str
    title: str


class Mark(NamedTuple):
    """A line or a label at a position."""

    x: int
    y: int
    text: str


class Chart(NamedTuple):
    """Everything that the template draws, as SVG and as a table."""

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
        """Return True if there is nothing to draw."""
        return not self.bars


def chart(
    title: Any,
    columns: Sequence[Column],
    *,
    good: Any,
    bad: Any,
    lines: Sequence[tuple[float, Any]] = (),
) -> Chart:
    """Return a chart of columns from left to right.

    Args:
        title: The title of the chart.
        columns: The counts of each column.
        good: The name of the first count.
        bad: The name of the second count.
        lines: Vertical lines, each with its position in units of columns and its label.
    """
    highest = max((each.good + each.bad for each in columns), default=0)
    step = (WIDTH - LEFT) / max(len(columns), 1)
    bars = [
        bar
        for index, column in enumerate(columns)
        for bar in _bars(column, round(LEFT + index * step), round(step), highest, good, bad)
    ]
    every = -(-len(columns) // MAX_LABELS) or 1
    labels = [
        Mark(round(LEFT + (index + 0.5) * step), HEIGHT - 6, column.label)
        for index, column in enumerate(columns)
        if index % every == 0
    ]
    marks = [
        Mark(round(LEFT + position * step), 10 + 12 * row, str(text))
        for row, (position, text) in enumerate(lines)
    ]
    return Chart(str(title), str(good), str(bad), columns, bars, labels, marks, highest)


def _bars(column: Column, x: int, step: int, highest: int, good: Any, bad: Any) -> list[Bar]:
    full_height, top = HEIGHT - BOTTOM - TOP, HEIGHT - BOTTOM
    bars = []
    for kind, count, name in (("good", column.good, good), ("bad", column.bad, bad)):
        if count:
            # Counts above zero are visible, however small they are.
            height = max(round(full_height * count / highest), 1)
            top -= height
            title = f"{column.label}: {count:,} {name}"
            bars.append(Bar(x, top, max(step - GAP, 1), height, kind, title))
    return bars
