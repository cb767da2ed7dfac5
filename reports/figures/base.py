"""The FigureKind class: a small table, a function that draws it, and a caption. And what several figures share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from textwrap import fill

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator, ScalarFormatter

from reports.estimates import Estimates
from reports.style import WIDTH, style_of

TALLEST = 8.5
"""Inches; the height of a figure that leaves room for its caption on an A4 page."""
NARROWEST, NARROWEST_SHARED = 1.8, 0.9
"""Inches; the width of a panel with its own vertical axis, and of one that shares that of its neighbours."""
TITLE_CHARACTER = 0.075
"""Inches; the width of a character of a title."""
MOST_LABELS = 5
"""The most labels of a logarithmic axis; of more, those between powers of ten are left out."""

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class FigureKind:
    """One kind of figure: `draw` and `caption` take the result of `table`. An empty table is not drawn."""

    title: str
    table: Callable[[Estimates], pd.DataFrame]
    draw: Callable[[pd.DataFrame], Figure]
    caption: Callable[[pd.DataFrame], str]


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


def draw_lines(axis: Axes, table: pd.DataFrame, x: str, variants: Sequence[str]) -> None:
    """One line per variant with its interval as a band; `table` has x, variant, mean, low, high."""
    for variant in variants:
        line = table[table["variant"] == variant].sort_values(x)
        if len(line):
            style = style_of(variant, variants)
            axis.plot(line[x], line["mean"], label=variant, **style)
            axis.fill_between(line[x], line["low"], line["high"], color=style["color"], alpha=0.12, linewidth=0)


def shared_legend(figure: Figure, axes: Sequence[Axes]) -> None:
    """One legend below all panels with each label once."""
    handles = {label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    widest = max(map(len, handles), default=1)
    # A character is about 0.07 inches wide; the line and the gap of an entry are as wide as eight characters.
    columns = max(1, min(6, len(handles), int(WIDTH / (0.07 * (widest + 8)))))
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=columns, frameon=False)


def plain_log(axis: Axis) -> None:
    """Limits of a logarithmic axis at 1, 2 or 5 times powers of ten, and labels there, as plain numbers."""
    low, high = axis.get_view_interval()
    powers = range(floor(log10(low)) - 1, ceil(log10(high)) + 1)
    numbers = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    first, last = max(n for n in numbers if n <= low), min(n for n in numbers if n >= high)
    axis.set_view_interval(first, last, ignore=True)
    shown = [n for n in numbers if first <= n <= last]
    axis.set_major_locator(FixedLocator(shown if len(shown) <= MOST_LABELS else [10.0**power for power in powers]))
    axis.set_major_formatter(ScalarFormatter())
    axis.set_minor_locator(NullLocator())


def counts(axis: Axis) -> None:
    """Few and short labels on an axis of large whole numbers, as 20k."""
    axis.set_major_locator(MaxNLocator(4, integer=True))
    axis.set_major_formatter(FuncFormatter(lambda value, _: compact(value)))


def powers_of_ten(axis: Axis) -> None:
    """Labels such as 10⁻² on a logarithmic axis. Matplotlib's own labels are formulas, which `styled` switches off."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"10{f'{log10(value):.0f}'.translate(SUPERSCRIPTS)}"))
    axis.set_minor_formatter(NullFormatter())


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


def in_a_row(names: Sequence[str]) -> str:
    """Names as a text.

    >>> in_a_row(["a", "b", "c"]), in_a_row(["a"])
    ('a, b and c', 'a')
    """
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def unique(column: pd.Series) -> list[str]:
    """The values of a column in order of appearance."""
    return list(dict.fromkeys(column))
