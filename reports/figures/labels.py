"""Labels that stand beside what they name, and which of many curves have a colour."""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import ArrayLike
from scipy.optimize import isotonic_regression

from reports.style import size_base

MOST_COLOURED = 6
"""The most curves of a panel that have a colour; what the eye can follow. All others are grey."""
FIRST_COLOURED = (
    "lstm", "gru", "rnn", "bilstm", "bilstm-attention", "birnn", "bigru", "tcn", "cnn", "feedforward", "reservoir",
)  # fmt: skip
"""Who has one before others; then come those of the study's own, in its order."""
GREY = "#767676"
"""The colour of the labels of all other curves."""

POINTS = 7.0
"""The size of a label: 10 pixels where the report is 720 pixels wide."""
HEIGHT, CHARACTER = 0.115, 0.062
"""Inches: the height of a line of that size, and the width of a character of it."""
LEFT = 1.035
"""Where the labels of curves begin, as a share of the axes' width."""
PANEL = 0.62
"""The share of a panel's height that its axes take; the rest is its title, its ticks and its label."""


class Label(NamedTuple):
    """A text in a colour, and the point (x, y) in data units that it names."""

    x: float
    y: float
    text: str
    colour: str


def coloured(variants: Sequence[str]) -> list[str]:
    """The variants that have a colour where all of these are in one panel, in their own order; no other size of one has.

    >>> coloured(["cnn", "lstm-3k", "mine", "rnn", "gru", "lstm", "bilstm", "tcn"])
    ['cnn', 'rnn', 'gru', 'lstm', 'bilstm', 'tcn']
    """

    chosen = foremost([v for v in variants if not _is_other_size(v, variants)], MOST_COLOURED)
    return [variant for variant in variants if variant in chosen]


def foremost(variants: Sequence[str], most: int) -> list[str]:
    """The first so many of the variants in the order of `FIRST_COLOURED`, then in their own; other sizes come last.

    >>> foremost(["cnn", "lstm-3k", "mine", "gru", "lstm"], 4)
    ['lstm', 'gru', 'cnn', 'mine']
    """

    def rank(variant: str) -> tuple[bool, int]:
        known = FIRST_COLOURED.index(variant) if variant in FIRST_COLOURED else len(FIRST_COLOURED)
        return _is_other_size(variant, variants), known

    return sorted(variants, key=rank)[:most]


def _is_other_size(variant: str, variants: Sequence[str]) -> bool:
    """Whether one of the variants is the same at the usual size."""
    base = size_base(variant, variants)
    return base != variant and base in variants


def spread(places: ArrayLike, gap: float, low: float = 0.0, high: float = 1.0) -> list[float]:
    """The places, moved apart as little as needed so that any two are a gap apart; where there is room, from low to high.

    >>> spread([0.5, 0.5, 0.1], 0.2), spread([1.0, 1.0], 0.2)
    ([0.4, 0.6, 0.1], [0.8, 1.0])
    """
    wanted = np.asarray(places, dtype=float)
    order = np.argsort(wanted, kind="stable")
    steps = gap * np.arange(len(order))
    # Less their steps, the moved places may not fall: the nearest such numbers are an isotonic regression.
    fitted = isotonic_regression(wanted[order] - steps).x
    moved = np.empty(len(order))
    moved[order] = np.clip(fitted, low, max(low, high - steps[-1])) + steps
    return [round(place, 9) for place in moved.tolist()]


def label_ends(axis: Axes, labels: Sequence[Label], height: float) -> None:
    """Writes the labels of curves to the right of a panel so high (inches), each joined to the end of its curve.

    The limits of the axes must be set before. Where there is no room for all, the grey ones are left out.
    """
    if not labels:
        return
    gap = HEIGHT / (PANEL * height)
    room = int(1.1 / gap) + 1
    shown = [*labels] if len(labels) <= room else [label for label in labels if label.colour != GREY][:room]
    to_axes = axis.transScale + axis.transLimits  # from data units, also of a logarithmic axis, to shares of the axes
    ends = to_axes.transform([(label.x, label.y) for label in shown])
    places = spread(ends[:, 1], gap, -0.05, 1.05)
    for label, place in zip(shown, places, strict=True):
        axis.text(LEFT, place, label.text, transform=axis.transAxes, color=label.colour, fontsize=POINTS, va="center")
    # All in one: as arrows of annotations they took a seventh of the time of a large report.
    axis.add_artist(
        LineCollection(
            [[end, (LEFT, place)] for end, place in zip(ends, places, strict=True)],
            transform=axis.transAxes,
            colors=[label.colour for label in shown],
            linewidths=0.6,
            linestyles=[(0, (1, 1.5))],
            clip_on=False,
            in_layout=False,
        )
    )


def label_points(axis: Axes, labels: Sequence[Label], width: float, height: float) -> None:
    """Writes the labels of points beside them, in axes of so many inches, where they cover no point and no other label.

    The limits of the axes must be set before. A label for which there is no such place is left out.
    """
    to_axes = axis.transData + axis.transAxes.inverted()
    dots = [(x * width, y * height) for x, y in to_axes.transform([(label.x, label.y) for label in labels])]
    taken = [_Box(x - 0.04, y - 0.04, x + 0.04, y + 0.04) for x, y in dots]
    for label, (x, y) in zip(labels, dots, strict=True):
        size = CHARACTER * len(label.text), HEIGHT
        free = (box for box in _around(x, y, *size) if box.is_inside(width, height) and not any(map(box.meets, taken)))
        box = next(free, None)
        if box:
            taken.append(box)
            middle = (box.bottom + box.top) / 2
            is_far = box.left > x + 0.1 or box.right < x - 0.1 or abs(middle - y) > 1.2 * HEIGHT
            leader = {"arrowstyle": "-", "color": label.colour, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3}
            axis.annotate(
                label.text, (label.x, label.y), (box.left / width, middle / height), textcoords="axes fraction",
                color=label.colour, fontsize=POINTS, va="center", arrowprops=leader if is_far else None,
            )  # fmt: skip


class _Box(NamedTuple):
    left: float
    bottom: float
    right: float
    top: float

    def meets(self, other: "_Box") -> bool:
        return (
            self.left < other.right and other.left < self.right and self.bottom < other.top and other.bottom < self.top
        )

    def is_inside(self, width: float, height: float) -> bool:
        return self.left >= 0 and self.right <= width + 0.3 and self.bottom >= -0.02 and self.top <= height + 0.05


def _around(x: float, y: float, width: float, height: float) -> list[_Box]:
    """The boxes of a label around a point, the best place first: right, left, above, below, and farther off."""
    boxes = []
    for distance, up in product((0.06, 0.14, 0.3), (0, 1, -1, 2, -2, 3, -3)):
        bottom = y - height / 2 + up * height * 0.75
        boxes += [_Box(x + distance, bottom, x + distance + width, bottom + height)]
        boxes += [_Box(x - distance - width, bottom, x - distance, bottom + height)]
    above = [(x - width / 2, y + sign * 0.06 + (0 if sign > 0 else -height)) for sign in (1, -1)]
    return boxes[:2] + [_Box(left, low, left + width, low + height) for left, low in above] + boxes[2:]
