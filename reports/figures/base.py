"""The FigureKind class: a small table, what was found in it, a function that draws it, a caption. And what several share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from textwrap import fill
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from reports.document import Picture
from reports.estimates import Estimates
from reports.prose import SUPERSCRIPTS, in_a_row
from reports.style import WIDTH, as_svg, styled

TALLEST = 8.5
"""Inches; the height of a figure that leaves room for its caption on an A4 page."""
NARROWEST, NARROWEST_SHARED = 1.8, 0.9
"""Inches; the width of a panel with its own vertical axis, and of one that shares that of its neighbours."""
TITLE_CHARACTER = 0.075
"""Inches; the width of a character of a title."""
TITLE_CHARACTERS = 86
"""The most characters of a line of a figure's title."""
TITLE_STYLE: dict[str, Any] = {"fontsize": 9.5, "fontweight": "bold", "x": 0.008, "ha": "left", "va": "top"}
MOST_LABELS = 5
"""The most labels of a logarithmic axis; of more, those between powers of ten are left out."""


@dataclass(frozen=True)
class FigureKind:
    """One kind of figure: all but `table` take the result of that. An empty table is not drawn.

    topic: what it is about, as the heading of its section. finding: what the numbers say, as its title. caption: how to
    read it.
    """

    topic: str
    table: Callable[[Estimates], pd.DataFrame]
    finding: Callable[[pd.DataFrame], str]
    draw: Callable[[pd.DataFrame], Figure]
    caption: Callable[[pd.DataFrame], str]

    def svg(self, table: pd.DataFrame, finding: str = "") -> str:
        """The figure with its title, as SVG text."""
        with styled():
            return as_svg(self.titled(table, finding))

    def titled(self, table: pd.DataFrame, finding: str = "") -> Figure:
        """The figure with its title. A finding takes the place of that of the table."""
        figure = self.draw(table)
        _write_title(figure, finding or self.finding(table))
        return figure

    def picture(self, name: str, table: pd.DataFrame) -> Picture:
        """The figure of that name for a document; those who cannot see it are told its finding too."""
        caption = f"{self.caption(table)} Numbers: tables/{name}.csv."
        return Picture(name, self.svg(table), caption, alt=f"{self.finding(table)}. {caption}")


def _write_title(figure: Figure, text: str) -> None:
    """Writes a title above the panels. A figure whose margins are its own is made higher by as much."""
    title = fill(text, TITLE_CHARACTERS, break_on_hyphens=False)
    if isinstance(figure.get_layout_engine(), ConstrainedLayoutEngine):
        figure.suptitle(title, **TITLE_STYLE)
        return
    width, height = figure.get_size_inches()
    room = 0.1 + 0.17 * (title.count("\n") + 1)
    boxes = [(axis, axis.get_position()) for axis in figure.axes]
    figure.set_size_inches(width, height + room)
    share = height / (height + room)
    for axis, box in boxes:
        axis.set_position((box.x0, box.y0 * share, box.width, box.height * share))
    figure.suptitle(title, **TITLE_STYLE, y=1 - 0.03 / (height + room))


def panels(names: Sequence[str], height: float, columns: int = 2, sharey: bool = False) -> tuple[Figure, list[Axes]]:
    """A figure with one panel per name, which is its title. So many are in a row that the figure fits on a page."""
    narrowest = NARROWEST_SHARED if sharey else NARROWEST
    while columns < WIDTH // narrowest and ceil(len(names) / columns) * height > TALLEST:
        columns += 1
    columns = min(columns, len(names))
    rows = ceil(len(names) / columns)
    figure = Figure(figsize=(WIDTH, min(height * rows, TALLEST)))
    axes = figure.subplots(rows, columns, squeeze=False, sharey=sharey).flatten().tolist()
    for axis, name in zip(axes, names, strict=False):
        characters = int(WIDTH / columns / TITLE_CHARACTER)
        axis.set_title(fill(name, characters, break_long_words=False), fontsize=9 if len(name) <= characters else 7)
    for spare in axes[len(names) :]:
        spare.remove()
    return figure, axes[: len(names)]


def shared_legend(figure: Figure, axes: Sequence[Axes]) -> None:
    """One legend below all panels with each label once."""
    handles = {label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    widest = max(map(len, handles), default=1)
    # A character is about 0.07 inches wide; the line and the gap of an entry are as wide as eight characters.
    columns = max(1, min(6, len(handles), int(WIDTH / (0.07 * (widest + 8)))))
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=columns, frameon=False)


def plain_log(axis: Axis) -> None:
    """Labels of a logarithmic axis at 1, 2 or 5 times powers of ten, as plain numbers. Its limits hold two at least."""
    low, high = axis.get_view_interval()
    powers = range(floor(log10(low)) - 1, ceil(log10(high)) + 2)
    numbers = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    if sum(low <= n <= high for n in numbers) < 2:
        low, high = max(n for n in numbers if n <= low), min(n for n in numbers if n >= high)
        axis.set_view_interval(low, high, ignore=True)
    shown = [n for n in numbers if low <= n <= high]
    axis.set_major_locator(FixedLocator(shown if len(shown) <= MOST_LABELS else [10.0**power for power in powers]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def counts(axis: Axis) -> None:
    """Few and short labels on an axis of large whole numbers, as 20k."""
    axis.set_major_locator(MaxNLocator(4, integer=True))
    axis.set_major_formatter(FuncFormatter(lambda value, _: compact(value)))


def powers_of_ten(axis: Axis) -> None:
    """Labels such as 10⁻² on a logarithmic axis. Matplotlib's own labels are formulas, which `styled` switches off."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: power_of_ten(value)))
    axis.set_minor_formatter(NullFormatter())


def power_of_ten(value: float) -> str:
    """The nearest power of ten.

    >>> power_of_ten(2e-7)
    '10⁻⁷'
    """
    return f"10{f'{log10(value):.0f}'.translate(SUPERSCRIPTS)}"


def compact(number: float) -> str:
    """A number in few characters.

    >>> [compact(number) for number in (7, 13.46, 960, 9600, 38400, 999999, 2.1e5, 3.4e6)]
    ['7', '13.5', '960', '9.6k', '38.4k', '1M', '210k', '3.4M']
    """
    for unit in ("", "k", "M"):
        if round(number) < 1000:
            return f"{number:.3g}{unit}"
        number /= 1000
    return f"{number:.3g}G"


def few_ticks(values: Sequence[float], least: float = 0.09) -> list[float]:
    """Some of the values in order, so that labels there do not touch: apart by at least that share of the whole range. Of two
    that would, the greater stays.

    >>> few_ticks([1, 2, 3, 12, 24])
    [3, 12, 24]
    """
    ordered = sorted(set(values))
    apart = least * (ordered[-1] - ordered[0])
    chosen = [ordered[-1]]
    for value in reversed(ordered[:-1]):
        if chosen[-1] - value >= apart:
            chosen.append(value)
    return chosen[::-1]


def percent(share: float) -> str:
    """A share in percent.

    >>> percent(0.984)
    '98 %'
    """
    return f"{100 * share:.0f} %"


def several(names: Sequence[str], most: int = 3) -> str:
    """Names in a row, or how many there are where they are more than that.

    >>> several(["a", "b"]), several(["a", "b", "c", "d"])
    ('a and b', '4 networks')
    """
    return in_a_row(names) if len(names) <= most else f"{len(names)} networks"


def unique(column: pd.Series) -> list[str]:
    """The values of a column in order of appearance."""
    return list(dict.fromkeys(column))
