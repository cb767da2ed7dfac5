"""Where attention looks while an answer is written: the weights of one pair on each character of its source."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.collections import PolyCollection
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ablations.record.schema import RunRecord, SettingRecord
from reports.estimates import Estimates
from reports.figures.base import FigureKind, unique
from reports.figures.glyphs import USUAL, Glyph, glyph
from reports.mechanisms import first_replicates
from reports.style import WIDTH

COLUMNS = ["task", "variant", "row", "symbol", "column", "character", "weight"]
END = "end"
"""The symbol after the last character of an answer."""

CELL, READABLE = 0.115, 0.095
"""Inches: the most that a column is wide and a row is high, and the least where another map stands beside."""
LEFT, TOP, BOTTOM, GAP = 0.35, 0.3, 0.25, 0.1
"""Inches: room for the symbols and above and below a map, and between two maps."""
HIGHEST = 8.2
"""Inches: a figure that is higher does not fit on a page with its caption."""
BIGGEST = 7.0
"""Points: the size of the characters where the cells have room."""

LEAST = 0.005
"""Weights below this are white."""
SHADE = PowerNorm(0.5, vmin=0, vmax=1)
"""The square root of a weight, so that many small weights are seen too."""
BORDER, MARK = "#cccccc", "#d55e00"


def table(estimates: Estimates) -> pd.DataFrame:
    """`COLUMNS`: of the first replicate of each setting with attention, the weight of each source character in each row.

    A row is a symbol of the answer, the last one its end.
    """
    runs = first_replicates(estimates.results, "attention")
    return pd.DataFrame([row for setting, run in runs for row in _rows(setting, run)], columns=COLUMNS)


def _rows(setting: SettingRecord, run: RunRecord) -> Iterator[list[Any]]:
    attention = run.mechanisms["attention"]
    source, symbols = attention["source"], [*attention["answer"], END]
    for row, (symbol, weights) in enumerate(zip(symbols, attention["weights"], strict=True)):
        for column, (character, weight) in enumerate(zip(source, weights, strict=True)):
            yield [setting.task, setting.variant, row, symbol, column, character, float(weight)]


def pair(rows: pd.DataFrame) -> tuple[str, str]:
    """The source and the answer of a map."""
    source = rows[rows["row"] == 0]["character"]
    answer = rows[rows["column"] == 0]["symbol"].iloc[:-1]
    return "".join(source), "".join(answer)


class Grid(NamedTuple):
    """How maps are laid out: the width of a column and the height of a row in inches, maps abreast, and the highest map."""

    width: float
    height: float
    abreast: int
    full: float


def by_page(maps: pd.DataFrame) -> list[pd.DataFrame]:
    """The maps of a task, in as few tables as there are figures whose rows are readable."""
    variants = unique(maps["variant"])
    sizes = range(len(variants), 0, -1)
    several = next((number for number in sizes if _grid(maps, number).height >= READABLE), 1)
    groups = [variants[start : start + several] for start in range(0, len(variants), several)]
    return [maps[maps["variant"].isin(group)] for group in groups]


def _grid(maps: pd.DataFrame, number: int) -> Grid:
    columns, rows = int(maps["column"].max()) + 1, int(maps["row"].max()) + 1
    abreast = max(1, min(number, int(WIDTH / (LEFT + GAP + READABLE * columns))))
    ranks = -(-number // abreast)
    width = min(CELL, (WIDTH / abreast - LEFT - GAP) / columns)
    height = min(CELL, (HIGHEST / ranks - TOP - BOTTOM) / rows)
    return Grid(width, height, abreast, TOP + BOTTOM + height * rows)


def draw(table: pd.DataFrame) -> Figure:
    variants = unique(table["variant"])
    grid = _grid(table, len(variants))
    full = grid.full * -(-len(variants) // grid.abreast)
    figure = Figure(figsize=(WIDTH, full))
    figure.set_layout_engine("none")  # the margins are known
    for place, variant in enumerate(variants):
        weights = table[table["variant"] == variant].pivot(index="row", columns="column", values="weight").to_numpy()
        rank, left = divmod(place, grid.abreast)
        x, top = left * WIDTH / grid.abreast + LEFT, full - rank * grid.full - TOP
        height, width = np.array(weights.shape) * (grid.height, grid.width)
        axis = figure.add_axes((x / WIDTH, (top - height) / full, width / WIDTH, height / full))
        axis.set_title(variant, loc="left", pad=3)
        points = min(BIGGEST, 0.9 * 72 * min(grid.width, grid.height))
        _draw_weights(axis, weights, points)
        source, answer = pair(table[table["variant"] == variant])
        _label(axis.xaxis, [*source], points)
        _label(axis.yaxis, [*answer, END], points)
    return figure


def _draw_weights(axis: Axes, weights: NDArray[np.float64], points: float) -> None:
    """Weights (rows, columns) as squares, and a dot of about half so many points on the largest of each row."""
    bars = [
        (row, weight, [column for column, _ in cells])
        for row, values in enumerate(weights.tolist())
        for weight, cells in groupby(enumerate(values), key=lambda cell: cell[1])
        if weight >= LEAST
    ]
    edges = [
        [
            (columns[0] - 0.5, row - 0.5),
            (columns[-1] + 0.5, row - 0.5),
            (columns[-1] + 0.5, row + 0.5),
            (columns[0] - 0.5, row + 0.5),
        ]
        for row, _, columns in bars
    ]
    squares = PolyCollection(edges, norm=SHADE, cmap="Greys", linewidth=0)
    squares.set_array([weight for _, weight, _ in bars])
    axis.add_collection(squares)
    is_largest = weights == weights.max(axis=1, keepdims=True)
    y, x = np.nonzero(is_largest & (is_largest.sum(axis=1, keepdims=True) == 1))
    axis.scatter(x, y, s=(0.45 * points) ** 2, color=MARK, linewidth=0)
    axis.set(xlim=(-0.5, weights.shape[1] - 0.5), ylim=(len(weights) - 0.5, -0.5))
    axis.set_axisbelow(False)  # thin lines between all cells


def _label(axis: Axis, symbols: list[str], points: float) -> None:
    """A symbol beside the middle of each row or column, in a size of so many points, and thin lines between them."""
    glyphs = [Glyph(END, USUAL) if symbol == END else glyph(symbol) for symbol in symbols]
    axis.set_ticks(range(len(symbols)), [each.text for each in glyphs])
    axis.set_ticks(np.arange(1, len(symbols)) - 0.5, minor=True)
    is_below = isinstance(axis, XAxis)
    for text, each in zip(axis.get_ticklabels(), glyphs, strict=True):
        text.set(fontfamily=each.font, fontsize=points / 1.6 if "\n" in each.text else points, linespacing=0.9)
        if is_below:
            text.set_verticalalignment("baseline")
    axis.set_tick_params(which="both", length=0, pad=points if is_below else 2)
    axis.grid(visible=False, which="major")
    axis.grid(visible=True, which="minor", color=BORDER, linewidth=0.3)


def finding(table: pd.DataFrame) -> str:
    """Whose weights of which pair are seen."""
    source, answer = pair(table[table["variant"] == table["variant"].iloc[0]])
    return f"Where {' and '.join(unique(table['variant']))} look while they write {answer} for {source}"


def caption(table: pd.DataFrame) -> str:
    return (
        f"The attention of replicate 0 while it writes one test answer of {' and '.join(unique(table['task']))}. Each row is a "
        "symbol of the answer, from top to bottom, and the last row its end; each column is a character of the source (␣ is a "
        "space). The darker a cell, the larger the weight: white is 0, black 1, and darkness its square root; each row sums to "
        "1. A dot marks the largest weight of a row where only one is the largest. It should lie on the part of the source that "
        "tells the symbol: for a digit of a year on the year, for one of a month on the month's name or number, for a number "
        "word on the word for the same digits. Joints, as hyphens and “and”, and the end are told by no part; they do not count."
    )


ATTENTION_MAPS = FigureKind("Where attention looks", table, finding, draw, caption)
