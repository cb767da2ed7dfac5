"""Claims that compare cells: their cost and their skill."""

from collections.abc import Sequence

from reports.claims.claim import Claim
from reports.claims.comparison import MARGIN, Comparison, Side, skill_difference
from reports.claims.rule_dates import RULES_2, changed_too
from reports.estimates import Estimates
from reports.statistics.sample import sample

MARKEDLY = 1.25
"""A ratio of times above this counts as markedly longer."""

EQUAL = "equal hidden size"


def _ratio(
    estimates: Estimates, quantity: str, column: str, a: str, b: str, side: Side, limit: float, fixed: bool = False
) -> Comparison:
    """The cost of cell a divided by that of cell b at the largest hidden size measured, paired by round."""
    rows = estimates.results.costs
    rows = rows[(rows["view"] == EQUAL) & (rows["row"] == rows["row"].max())]
    by_cell = rows.pivot(index="round", columns="cell", values=column)
    ratios = (by_cell[a] / by_cell[b]).dropna() if {a, b} <= set(by_cell.columns) else []
    samples = {"": sample(ratios)} if len(ratios) else {}
    return Comparison(quantity, limit, side, samples, null=1.0, fixed=fixed, scale="ratio")


def _lstm_slow(estimates: Estimates) -> Sequence[Comparison]:
    time = "the ratio of the LSTM's training time to the RNN's at equal hidden size"
    return [_ratio(estimates, time, "seconds_per_sequence", "lstm", "rnn", "above", MARKEDLY)]


LSTM_SLOW = Claim(
    short="A large LSTM trains markedly slower than an RNN",
    sentence="With a larger network LSTM training takes markedly longer than RNN training.",
    comparison="Seconds per training sequence at the largest hidden size measured, the same for both, one thread, "
    "paired by round.",
    rule=f"Supported if most rounds have a ratio above {MARKEDLY}, contradicted if most are below.",
    parts=_lstm_slow,
    costs=True,
    remark="The rounds are of one machine and one program. How far the ratio depends on them, no number of rounds can show.",
    **RULES_2,
)


def _gru_cheaper(estimates: Estimates) -> Sequence[Comparison]:
    time, operations = "the GRU's share of the LSTM's training time at equal hidden size", "its share of the operations"
    return [
        _ratio(estimates, time, "seconds_per_sequence", "gru", "lstm", "below", 1.0),
        _ratio(estimates, operations, "flops_per_sequence", "gru", "lstm", "below", 1.0, fixed=True),
    ]


GRU_CHEAPER = Claim(
    short="A GRU is cheaper than an LSTM",
    sentence="GRU, with two gates, trains faster and needs less compute than LSTM.",
    comparison="Seconds and matrix-product operations per training sequence at the largest hidden size measured, the "
    "same for both, one thread, paired by round.",
    rule="Supported if most rounds have a ratio of times below 1 and the ratio of operations is below 1; contradicted if most "
    "rounds are above 1, or if the operations are.",
    parts=_gru_cheaper,
    costs=True,
    remark="The part about operations cannot come out otherwise: a GRU has three matrices for each of an LSTM's four. It is "
    "counted and not estimated, so it has no interval.",
    **RULES_2,
)

SIZE_PAIRS = (("lstm", "gru"), ("lstm-3k", "gru-3k"))
"""(LSTM, GRU) at each size that a study may have."""


def _gru_worse(estimates: Estimates) -> Sequence[Comparison]:
    variants = estimates.results.variants
    pairs = [pair for pair in SIZE_PAIRS if set(pair) <= set(variants)]
    return [_at_size(estimates, *pair) for pair in pairs] or [_at_size(estimates, *SIZE_PAIRS[0])]


def _at_size(estimates: Estimates, lstm: str, gru: str) -> Comparison:
    sizes = estimates.sizes([lstm])
    size = f"at {sizes[lstm]}" if sizes else ""
    return skill_difference(
        estimates, lstm, gru, "above", MARGIN, quantity="the LSTM's lead in skill over the GRU", of=size
    )


GRU_WORSE = Claim(
    short="Having fewer gates, a GRU performs worse than an LSTM",
    sentence="Having fewer gates, GRU performs worse than LSTM.",
    comparison="Paired difference in skill at equal parameters, the mean over the tasks, at each size of this study.",
    rule=f"At each size: supported if the mean over the tasks is above {MARGIN} and no task goes the other way, contradicted "
    "if it is below and no task goes the other way. The claim is about every size and every task: where some hold and some "
    "do not, it is mixed.",
    parts=_gru_worse,
    variants=tuple(variant for pair in SIZE_PAIRS for variant in pair),
    about_all=True,
    remark="A ranking is a statement about a size: between 3,000 and 10,000 parameters the order of these two has been seen to "
    "turn. At equal parameters a GRU has more units than an LSTM.",
    **changed_too("Version 1 looked at one size only."),
)
