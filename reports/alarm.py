"""The alarm: a score beyond a ceiling that nothing can pass is a leak or a bug, and no report is written.

A left-to-right reader's exact ceiling is a theorem, so this is no verdict about the world.
"""

import numpy as np
import pandas as pd
from scipy import stats

from reports.estimates import Estimates
from reports.statistics.decision import holm

LEVEL = 0.001
"""The chance of a false alarm in one report."""

COLUMNS = ["task", "variant", "right", "sequences", "ceiling", "p"]


class CeilingPassedError(RuntimeError):
    """A measurement lies beyond an exact ceiling by more than chance allows."""


def ceilings(estimates: Estimates) -> pd.DataFrame:
    """`COLUMNS`: for each left-to-right variant on a task with a causal ceiling, its right answers of all replicates.

    `p` is the exact binomial chance of as many or more right answers for a reader at the ceiling.
    """
    rows = []
    for setting in estimates.results.study.settings:
        scores = estimates.replicates(setting.task, setting.variant, "score")
        ceiling = setting.references.get("causal")
        if not setting.causal or ceiling is None or scores is None:
            continue
        sequences = scores.n * estimates.test_sequences
        right = int(
            np.floor(scores.values.sum() * estimates.test_sequences + 0.5)
        )  # a sum of whole numbers, but for rounding
        p = float(stats.binom.sf(right - 1, sequences, ceiling))
        rows.append([setting.task, setting.variant, right, sequences, ceiling, p])
    return pd.DataFrame(rows, columns=COLUMNS)


def check_ceilings(estimates: Estimates) -> pd.DataFrame:
    """The table of `ceilings`. Raises `CeilingPassedError` where one is passed, by Holm's rule over all of them at 0.001."""
    frame = ceilings(estimates)
    if len(frame) and len(passed := frame[holm(frame["p"].to_numpy(), LEVEL)]):
        names = "; ".join(
            f"{row.variant} on {row.task}, {row.right} of {row.sequences} right, ceiling {row.ceiling:.4g} (p = {row.p:.1g})"
            for row in passed.itertuples()
        )
        raise CeilingPassedError(
            f"a left-to-right reader scored above what any can: {names}. The future leaks into the model or the data, or the "
            "ceiling is wrong; no report was written"
        )
    return frame
