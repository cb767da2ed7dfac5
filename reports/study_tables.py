"""The tables of a study as data frames, under the names of the report's CSV files."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import pandas as pd

from reports.claim_pages import ledger
from reports.comparison import differences, ranking
from reports.estimates import Estimates
from reports.figures import FIGURES
from reports.page_one.solvers import solver_table
from reports.result_tables import ResultTables
from reports.search_summary import best_values, windows
from reports.verdicts import judge_claims

RECORD_TABLES = (
    "settings", "replicates", "transferred", "trials", "curves", "difficulty", "gradient", "gradient_at_cue", "costs",
)  # fmt: skip
"""What is in the record: a row for each setting, run, point of a curve, or timed round."""

REPORT_TABLES: Mapping[str, Callable[[Estimates], pd.DataFrame]] = {
    "verdicts": lambda estimates: ledger(judge_claims(estimates)),
    "who_solves_what": solver_table,
    "ranking": ranking,
    "differences": differences,
    "search_windows": lambda estimates: windows(estimates.results),
    "best_values": lambda estimates: best_values(estimates.results),
    **{name: figure.table for name, figure in FIGURES.items() if name not in RECORD_TABLES},
}
"""What the report computes from that: each is the CSV file of that name in its folder `tables/`."""

TABLES = (*RECORD_TABLES, *REPORT_TABLES)


class StudyTables(ResultTables):
    """The tables that are named by `TABLES`, each a data frame that is computed when it is asked for.

    The report has more CSV files, which are about itself: the numbers of each claim, how often its rules err, references,
    endings, and where all came from. Its `difficulty.csv` has means, where `difficulty` here has each replicate.
    """

    @cached_property
    def _estimates(self) -> Estimates:
        return Estimates(self)

    def __getattr__(self, name: str) -> Any:
        """A table of the report; raises `AttributeError`, with the names of all tables, where there is none of that name."""
        if name not in REPORT_TABLES:
            raise AttributeError(f"there is no table {name!r}; there are {', '.join(TABLES)}")
        return REPORT_TABLES[name](self._estimates)

    def __dir__(self) -> list[str]:
        return sorted(TABLES)

    def __repr__(self) -> str:
        return f"StudyTables({', '.join(TABLES)})"
