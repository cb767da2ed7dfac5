"""The document from which both HTML and PDF are rendered: a list of blocks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Literal

import pandas as pd

from reports.explorer import Explorer
from reports.number_format import as_text as as_text  # figures print single numbers as tables do
from reports.page_one.blocks import PageOne, Strip
from reports.printed_table import Column, printed_columns

MOST_LINES = 30
"""The most lines of a table that fit on a screen, or half of a page; a longer one stands in the appendix."""


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
    """Plain text. Ids of runs, names of tables and the headings that it quotes become links (`reports.references`).

    folded: where a page can be folded, the text is under this line and appears when it is opened.
    """

    text: str
    folded: str = ""


@dataclass(frozen=True)
class Sample:
    """A text of several lines whose columns stand below each other."""

    text: str


@dataclass(frozen=True)
class Note:
    """Highlighted text; `tone` is the label of a verdict, or "warning"."""

    text: str
    tone: Literal["supported", "contradicted", "mixed", "inconclusive", "not run", "warning"]


@dataclass(frozen=True)
class Table:
    """A data frame; `name` is the name of its CSV file, which holds the unrounded numbers.

    What is `printed` in its place, if not the frame, may have cells of several lines. A table longer than a screen is
    printed in the appendix and named where it stands; `in_appendix` says so, or the contrary, of a table of any length.
    """

    name: str
    frame: pd.DataFrame
    caption: str
    printed: pd.DataFrame | None = None
    in_appendix: bool | None = None

    @cached_property
    def content(self) -> list[Column]:
        """The columns with their cells as text."""
        return printed_columns(self.frame if self.printed is None else self.printed)

    @property
    def columns(self) -> list[str]:
        """The column names as text."""
        return [column.name for column in self.content]

    @cached_property
    def rows(self) -> list[list[str]]:
        """The cells as text."""
        return [list(row) for row in zip(*(column.cells for column in self.content), strict=True)]

    @property
    def is_appended(self) -> bool:
        """True where the table is printed in the appendix."""
        lines = sum(max(cell.count("\n") + 1 for cell in row) for row in self.rows)
        return lines > MOST_LINES if self.in_appendix is None else self.in_appendix

    @property
    def title(self) -> str:
        """The first sentence of the caption."""
        return self.caption.partition(". ")[0].rstrip(".")


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


Block = Heading | Paragraph | Sample | Note | Table | Picture | Formula | PageOne | Strip


@dataclass(frozen=True)
class Document:
    """A title, a subtitle, and the blocks in order; those before the first heading are its first page.

    `author` and `day` are those of the numbers. `pages` are the addresses of what a text may name, such as the first
    letters of a run's id. `explorer` has the tables of the page's interactive view.
    """

    title: str
    subtitle: str
    blocks: Sequence[Block]
    author: str = ""
    day: date | None = None
    pages: Mapping[str, str] = field(default_factory=dict)
    explorer: Explorer | None = None

    @property
    def front(self) -> Sequence[Block]:
        """The blocks before the first heading."""
        return self.blocks[: self._first_heading]

    @property
    def parts(self) -> Sequence[Block]:
        """The blocks from the first heading on."""
        return self.blocks[self._first_heading :]

    @property
    def appendix(self) -> list[Table]:
        """The tables that are printed at the end."""
        return [block for block in self.blocks if isinstance(block, Table) and block.is_appended]

    @property
    def _first_heading(self) -> int:
        places = (place for place, block in enumerate(self.blocks) if isinstance(block, Heading) and block.level == 1)
        return next(places, len(self.blocks))
