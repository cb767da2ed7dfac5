"""The one document that HTML and PDF are made of: a list of blocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 opens a part of the report, level 2 a section of it."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Paragraph:
    """Plain text."""

    text: str


@dataclass(frozen=True)
class Note:
    """Text that stands out; `tone` is a verdict's word, or "warning"."""

    text: str
    tone: Literal["supported", "contradicted", "inconclusive", "not run", "warning"]


@dataclass(frozen=True)
class Table:
    """A data frame to read; `name` names its CSV file, which holds the unrounded numbers."""

    name: str
    frame: pd.DataFrame
    caption: str

    @property
    def columns(self) -> list[str]:
        """The column names as they are shown."""
        return [str(column).replace("_", " ") for column in self.frame.columns]

    @property
    def rows(self) -> list[list[str]]:
        """The cells as they are shown."""
        return [[as_text(value) for value in row] for row in self.frame.itertuples(index=False)]


def as_text(value: object) -> str:
    """A cell as it is shown.

    >>> [as_text(value) for value in (0.12345, 32000.0, float("inf"), float("nan"), True, "lstm", -0.5)]
    ['0.123', '32,000', '∞', '–', 'yes', 'lstm', '−0.5']
    """
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if not isinstance(value, int | float | np.number):
        return str(value)
    number = 0.0 if abs(float(value)) < 1e-12 else float(value)  # what is left of a sum that cancels
    if np.isnan(number):
        return "–"
    if np.isinf(number):
        return "∞"
    text = f"{number:,.0f}" if number.is_integer() or abs(number) >= 1000 else f"{number:.3g}"
    return text.replace("-", "−", 1) if number < 0 else text


@dataclass(frozen=True)
class Picture:
    """A vector figure as SVG text; `alt` says in words what it shows, `name` names its file."""

    name: str
    svg: str
    caption: str
    alt: str


@dataclass(frozen=True)
class Formula:
    """A displayed equation in both renderers' notations."""

    mathml: str
    typst: str
    alt: str


Block = Heading | Paragraph | Note | Table | Picture | Formula


@dataclass(frozen=True)
class Document:
    """A title, a line below it, and the blocks."""

    title: str
    subtitle: str
    blocks: Sequence[Block]
