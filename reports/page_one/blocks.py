"""What page one is made of, as plain data; the HTML, the PDF and MLflow show the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reports.statistics.sample import Estimate

Tone = Literal["supported", "contradicted", "mixed", "inconclusive", "not run", "warning"]
SIGNS: dict[Tone, str] = {"supported": "✓", "contradicted": "✗", "mixed": "±", "inconclusive": "?", "not run": "–"}


@dataclass(frozen=True)
class Measurement:
    """An estimate on an axis of its own, with a limit and the side of it that a claim is on. `label` says what it is.

    is_claimed: false where nobody claims that side, and the limit counts on both sides of 0.
    """

    label: str
    estimate: Estimate
    limit: float
    side: Literal["above", "below"]
    is_claimed: bool = True


@dataclass(frozen=True)
class StripRow:
    """A verdict in one line: its word, the sentence it is on, why, and what decided it. `anchor` is where more is."""

    tone: Tone
    word: str
    title: str
    text: str
    anchor: str = ""
    measurement: Measurement | None = None


@dataclass(frozen=True)
class Strip:
    """Rows of verdicts or of measurements below each other."""

    rows: Sequence[StripRow]


@dataclass(frozen=True)
class SolverRow:
    """A row of who solves what: its name, a note, and in each column the skill of each seed; None where nothing was run."""

    name: str
    note: str
    cells: Sequence[Sequence[float] | None]


@dataclass(frozen=True)
class Solvers:
    """Who solves what. `columns` are names with notes; `groups` are titles with rows; `seeds` is how many a cell has.

    `legend` says in a line each what is to be known of the columns.
    """

    columns: Sequence[tuple[str, str]]
    groups: Sequence[tuple[str, Sequence[SolverRow]]]
    seeds: int
    legend: Sequence[str] = ()


@dataclass(frozen=True)
class PageOne:
    """The first page: where the numbers are from, the answer, the verdicts, who solves what, and four short facts.

    Names between two asterisks in the `answer` are shown bold. What is empty is left out.
    """

    origin: str
    answer: Sequence[str]
    tally: str
    strip: Strip
    solvers: Solvers
    facts: Sequence[tuple[str, str]]
