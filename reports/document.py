"""The document from which both HTML and PDF are rendered: a list of blocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from reports.page_one.blocks import PageOne, Strip


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 opens a part of the report, level 2 a section of it.

    `anchor` is what links to it are made of, if not its text: the id of a claim, for one. What is `on_new_page` begins a
    new page where there are pages.
    """

    text: str
    level: int = 1
    anchor: str = ""
    on_new_page: bool = False


@dataclass(frozen=True)
class Paragraph:
    """Plain text."""

    text: str


@dataclass(frozen=True)
class Note:
    """Highlighted text; `tone` is the label of a verdict, or "warning"."""

    text: str
    tone: Literal["supported", "contradicted", "mixed", "inconclusive", "not run", "warning"]


@dataclass(frozen=True)
class Table:
    """A data frame; `name` is the name of its CSV file, which holds the unrounded numbers.

    What is `printed` in its place, if not the frame, may have cells of several lines.
    """

    name: str
    frame: pd.DataFrame
    caption: str
    printed: pd.DataFrame | None = None

    @property
    def columns(self) -> list[str]:
        """The column names as text."""
        return [str(column).replace("_", " ") for column in self._shown.columns]

    @property
    def rows(self) -> list[list[str]]:
        """The cells as text."""
        return [[as_text(value) for value in row] for row in self._shown.itertuples(index=False)]

    @property
    def _shown(self) -> pd.DataFrame:
        return self.frame if self.printed is None else self.printed


def as_text(value: object) -> str:
    """A table's cell as text, numbers rounded.

    >>> [as_text(value) for value in (0.12345, 32000.0, float("inf"), float("nan"), True, "lstm", -0.5)]
    ['0.123', '32,000', '∞', '–', 'yes', 'lstm', '−0.5']
    """
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if not isinstance(value, int | float | np.number):
        return str(value)
    number = 0.0 if abs(float(value)) < 1e-12 else float(value)  # the rounding error of a sum that cancels
    if np.isnan(number):
        return "–"
    if np.isinf(number):
        return "∞"
    text = f"{number:,.0f}" if number.is_integer() or abs(number) >= 1000 else f"{number:.3g}"
    return text.replace("-", "−", 1) if number < 0 else text


@dataclass(frozen=True)
class Picture:
    """A vector figure as SVG; `alt` describes it in words, `name` is the name of its file."""

    name: str
    svg: str
    caption: str
    alt: str


@dataclass(frozen=True)
class Formula:
    """A displayed equation in MathML for the HTML, in Typst for the PDF, and as plain text."""

    mathml: str
    typst: str
    alt: str


Block = Heading | Paragraph | Note | Table | Picture | Formula | PageOne | Strip


@dataclass(frozen=True)
class Document:
    """A title, a subtitle, and the blocks in order; those before the first heading are its first page."""

    title: str
    subtitle: str
    blocks: Sequence[Block]

    @property
    def front(self) -> Sequence[Block]:
        """The blocks before the first heading."""
        return self.blocks[: self._first_heading]

    @property
    def parts(self) -> Sequence[Block]:
        """The blocks from the first heading on."""
        return self.blocks[self._first_heading :]

    @property
    def _first_heading(self) -> int:
        places = (place for place, block in enumerate(self.blocks) if isinstance(block, Heading))
        return next(places, len(self.blocks))
