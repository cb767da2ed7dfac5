"""Claims that compare cells: their cost and their skill."""

from collections.abc import Sequence

import numpy as np

from reports.claims.claim import MARGIN, Claim, Comparison, above, below, from_runs, pooled_difference
from reports.result_tables import ResultTables
from reports.statistics import Estimate, geometric_mean

MARKEDLY = 1.25
"""A ratio of times above this counts as markedly longer."""

EQUAL = "equal hidden size"


def _ratio(results: ResultTables, column: str, a: str, b: str, rng: np.random.Generator) -> Estimate | None:
    """The cost of cell a divided by that of cell b at the largest hidden size measured, paired by round."""
    rows = results.costs
    rows = rows[(rows["view"] == EQUAL) & (rows["row"] == rows["row"].max())]
    by_cell = rows.pivot(index="round", columns="cell", values=column)
    if not {a, b} <= set(by_cell.columns):
        return None
    return from_runs(by_cell[a] / by_cell[b], geometric_mean, rng)


def _lstm_slow(results: ResultTables, rng: np.random.Generator) -> Sequence[Comparison]:
    ratio = _ratio(results, "seconds_per_sequence", "lstm", "rnn", rng)
    return [above("time of the LSTM over time of the RNN", ratio, MARKEDLY)]


LSTM_SLOW = Claim(
    sentence="With a larger network LSTM training takes markedly longer than RNN training.",
    comparison="Seconds per training sequence at the largest hidden size measured, the same for both, one thread, "
    "paired by round.",
    rule=f"Supported if the ratio's whole interval is above {MARKEDLY}, contradicted if it is below.",
    parts=_lstm_slow,
    costs=True,
)


def _gru_cheaper(results: ResultTables, rng: np.random.Generator) -> Sequence[Comparison]:
    return [
        below("time of the GRU over time of the LSTM", _ratio(results, "seconds_per_sequence", "gru", "lstm", rng), 1.0),
        below("operations of the GRU over those of the LSTM", _ratio(results, "flops_per_sequence", "gru", "lstm", rng), 1.0),
    ]  # fmt: skip


GRU_CHEAPER = Claim(
    sentence="GRU, with two gates, trains faster and needs less compute than LSTM.",
    comparison="Seconds and matrix-product operations per training sequence at the largest hidden size measured, the "
    "same for both, one thread, paired by round.",
    rule="Supported if both ratios are below 1 with their whole intervals, contradicted if either is above.",
    parts=_gru_cheaper,
    costs=True,
)


def _gru_worse(results: ResultTables, rng: np.random.Generator) -> Sequence[Comparison]:
    return [above("LSTM's skill minus the GRU's", pooled_difference(results, "lstm", "gru", rng), MARGIN)]


GRU_WORSE = Claim(
    sentence="Having fewer gates, GRU performs worse than LSTM.",
    comparison="Paired difference in skill at equal parameters, pooled over the tasks (interquartile mean).",
    rule=f"Supported if the difference's whole interval is above {MARGIN}, contradicted if it is below.",
    parts=_gru_worse,
    variants=("lstm", "gru"),
)
