"""How figures look: one colour, marker and line style for each variant, the same in every figure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import matplotlib as mpl
import seaborn as sns
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)

WIDTH = 7.2
"""Inches; the text width of an A4 page."""

# Colour-blind safe. The colour shows the family, the line style the direction; each variant has its own marker.
VARIANT_STYLES: Mapping[str, tuple[str, str, str]] = {
    "feedforward": ("#7f7f7f", "s", ":"),
    "cnn": ("#a6761d", "D", ":"),
    "tcn": ("#56b4e9", "P", "-."),
    "reservoir": ("#000000", "x", "-."),
    "rnn": ("#d55e00", "o", "-"),
    "lstm": ("#0072b2", "^", "-"),
    "gru": ("#009e73", "v", "-"),
    "birnn": ("#d55e00", "*", "--"),
    "bilstm": ("#0072b2", "<", "--"),
    "bigru": ("#009e73", ">", "--"),
    "bilstm-attention": ("#cc79a7", "h", "--"),
}
OTHER_COLOURS = ("#de8f05", "#cc78bc", "#56b4e9", "#949494", "#ca9161", "#000000")
OTHER_LINES, OTHER_MARKERS = ("-", "--", ":", "-."), "oXPdph8<>^v"
"""Variants without their own style use these colours and markers in turn; after the last colour, the next line style."""

ANOTHER_SIZE = re.compile(r"(.+)-(\d+k?|same-hidden)")
"""The name of a variant that is another one at another size, as `lstm-10k`."""
SIZE_LINES = ((0, (6, 2, 1, 2, 1, 2)), (0, (9, 3)), (0, (2, 3)))
SIZE_FILLS = ("none", "bottom", "left")
"""Such a variant has the colour and marker of that one; the marker is hollow, or half filled at a further size."""


def style_of(variant: str, variants: Sequence[str]) -> dict[str, Any]:
    """Colour, marker and line style of a variant, as keyword arguments of a plot."""
    base, own = size_base(variant, variants), {}
    if base != variant:
        sizes = [other for other in variants if other != base and size_base(other, variants) == base]
        place = sizes.index(variant) % len(SIZE_LINES)
        own = {"linestyle": SIZE_LINES[place], "fillstyle": SIZE_FILLS[place]}
    if base in VARIANT_STYLES:
        colour, marker, line = VARIANT_STYLES[base]
    else:
        bases = dict.fromkeys(size_base(other, variants) for other in variants)
        index = [other for other in bases if other not in VARIANT_STYLES].index(base)
        colour, marker = OTHER_COLOURS[index % len(OTHER_COLOURS)], OTHER_MARKERS[index % len(OTHER_MARKERS)]
        line = OTHER_LINES[index // len(OTHER_COLOURS) % len(OTHER_LINES)]
    return {"color": colour, "marker": marker, "linestyle": line, "markersize": 5, "linewidth": 1.4, **own}


def size_base(variant: str, variants: Sequence[str]) -> str:
    """The variant of the study, or with a style of its own, of which this is another size; or itself."""
    name = ANOTHER_SIZE.fullmatch(variant)
    return name[1] if name and (name[1] in variants or name[1] in VARIANT_STYLES) else variant


@contextmanager
def styled() -> Iterator[None]:
    """Matplotlib's settings for drawing and saving every figure.

    They start from matplotlib's own defaults, so that a user's matplotlibrc does not change the report.
    """
    settings: dict[Any, Any] = {
        "font.sans-serif": "DejaVu Sans",  # comes with matplotlib; seaborn prefers Arial, which not every machine has
        "text.parse_math": False,  # a name with two dollar signs is no formula
        "font.size": 8,
        "axes.titlesize": 9,
        "axes.labelsize": 8,
        "legend.fontsize": 8,
        "svg.hashsalt": "reports",
        "svg.fonttype": "path",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "figure.constrained_layout.use": True,
    }
    with mpl.rc_context():  # restores the user's settings at the end
        mpl.rcdefaults()
        mpl.rcParams.update(sns.axes_style("ticks", rc={"axes.grid": True, "grid.color": "#e6e6e6"}))
        mpl.rcParams.update(settings)
        yield


def as_svg(figure: Figure) -> str:
    """The figure as SVG text; the same figure gives the same text.

    Texts are drawn as paths. The comments that repeat them are left out, so that no string of a record is in the SVG.
    """
    buffer = BytesIO()
    figure.set_facecolor("white")
    with styled():
        # Not `savefig`: it lays a figure out and draws it twice.
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": None})  # type: ignore[no-untyped-call]
    text = COMMENT.sub("", buffer.getvalue().decode())
    return text[text.index("<svg") :]
