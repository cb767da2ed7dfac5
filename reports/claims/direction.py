"""Claims about reading in both directions."""

from collections.abc import Sequence

import numpy as np

from reports.claims.claim import FEWEST, Claim, Comparison, above, below, from_runs
from reports.result_tables import ResultTables
from reports.statistics import Estimate, mean

TASK = "disambiguation"
RIGHT = 0.95
"""The score above which a network can distinguish the two senses."""

ONE_WAY = ("rnn", "lstm", "gru", "tcn", "reservoir")
BOTH_WAYS = ("birnn", "bilstm", "bigru")


def _score(results: ResultTables, variant: str, rng: np.random.Generator) -> Estimate | None:
    rows = results.replicates
    runs = rows[(rows["task"] == TASK) & (rows["variant"] == variant)]
    return from_runs(runs["score"], mean, rng)


def _future_context(results: ResultTables, rng: np.random.Generator) -> Sequence[Comparison]:
    setting = results.setting(TASK)
    ceiling = setting.references["causal"] if setting else float("nan")
    one_way = [_not_above(f"score of the left-to-right {v}", _score(results, v, rng), ceiling) for v in ONE_WAY]
    return [*one_way, above("score of the bidirectional RNN", _score(results, "birnn", rng), RIGHT)]


def _not_above(label: str, estimate: Estimate | None, ceiling: float) -> Comparison:
    """Contradicted if the whole interval is above the ceiling, supported otherwise; too few runs decide nothing."""
    comparison = below(label, estimate, ceiling)
    has_enough_runs = estimate is not None and estimate.fewest >= FEWEST
    is_at_ceiling = has_enough_runs and comparison.verdict == "inconclusive"
    return Comparison(label, estimate, "supported") if is_at_ceiling else comparison


FUTURE_CONTEXT = Claim(
    sentence="“He said, Teddy bears are on sale” / “He said, Teddy Roosevelt was a great President”: only a network that "
    "reads the future can tell the two apart; BiRNN does.",
    comparison="Score on disambiguation at the ambiguous word, beside the exact ceiling of a left-to-right reader.",
    rule=f"Supported if no left-to-right network's interval lies above the causal ceiling and the bidirectional RNN's "
    f"lies above {RIGHT}; contradicted if any left-to-right one lies above the ceiling or the bidirectional RNN below "
    f"{RIGHT}.",
    parts=_future_context,
    tasks=(TASK,),
    variants=(*ONE_WAY, "birnn"),
)


def _any_cell(results: ResultTables, rng: np.random.Generator) -> Sequence[Comparison]:
    return [above(f"score of the {variant}", _score(results, variant, rng), RIGHT) for variant in BOTH_WAYS]


ANY_CELL = Claim(
    sentence="The repeated module of a bidirectional network can be RNN, LSTM or GRU.",
    comparison="Score on disambiguation of the bidirectional network with each of the three cells.",
    rule=f"Supported if all three intervals are above {RIGHT}, contradicted if any is below.",
    parts=_any_cell,
    tasks=(TASK,),
    variants=BOTH_WAYS,
)

BILSTM_ATTENTION = Claim(
    sentence="Bidirectional LSTM with attention markedly improves translation and sentiment analysis.",
    comparison="None in this study: it has neither translation nor sentiment analysis.",
    rule="Not run until there is a study with these tasks.",
    parts=lambda _results, _rng: (),
)
