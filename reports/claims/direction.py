"""Claims about reading in both directions."""

from collections.abc import Sequence

from reports.claims.claim import Claim
from reports.claims.comparison import Comparison, from_runs
from reports.claims.rule_dates import RULES_2, changed_too
from reports.estimates import Estimates

TASK = "disambiguation"
RIGHT = 0.95
"""The score above which a network can distinguish the two senses."""

AT_CEILING = 0.05
"""A score less than this above the ceiling counts as not passing it. A margin of 0.02 is decided in 18 to 47 % of studies."""

ONE_WAY = ("rnn", "lstm", "gru", "tcn", "reservoir")
BOTH_WAYS = ("birnn", "bilstm", "bigru")


def _future_context(estimates: Estimates) -> Sequence[Comparison]:
    setting = estimates.results.setting(TASK)
    ceiling = setting.references["causal"] if setting else float("nan")
    one_way = [
        from_runs(
            f"score of the left-to-right {variant}",
            estimates.replicates(TASK, variant, "score"),
            "below",
            ceiling + AT_CEILING,
            null=ceiling,
        )
        for variant in ONE_WAY
    ]
    birnn = estimates.replicates(TASK, "birnn", "score")
    return [*one_way, from_runs("score of the bidirectional RNN", birnn, "above", RIGHT)]


FUTURE_CONTEXT = Claim(
    sentence="“He said, Teddy bears are on sale” / “He said, Teddy Roosevelt was a great President”: only a network that "
    "reads the future can tell the two apart; BiRNN does.",
    comparison="Score on disambiguation at the ambiguous word, beside the exact ceiling of a left-to-right reader.",
    rule=f"Supported if each left-to-right network's typical score is less than {AT_CEILING} above the causal ceiling, which "
    f"makes it equivalent to one that does not pass it, and the bidirectional RNN's is above {RIGHT}; contradicted if one of "
    "them is on the other side.",
    parts=_future_context,
    tasks=(TASK,),
    variants=(*ONE_WAY, "birnn"),
    remark="That no left-to-right network passes the ceiling is a theorem: what it has read when it answers does not depend on "
    "the cue. These parts cannot come out otherwise; they test the program. A score that lies above the ceiling by more than "
    "chance allows is a leak or a bug, and the report is not written. That the bidirectional RNN learns the task is the part "
    "that can fail.",
    **changed_too(
        "Version 1 called an interval above the ceiling a contradiction, which noise brings about in a fifth of studies."
    ),
)


def _any_cell(estimates: Estimates) -> Sequence[Comparison]:
    return [
        from_runs(f"score of the {variant}", estimates.replicates(TASK, variant, "score"), "above", RIGHT)
        for variant in BOTH_WAYS
    ]


ANY_CELL = Claim(
    sentence="The repeated module of a bidirectional network can be RNN, LSTM or GRU.",
    comparison="Score on disambiguation of the bidirectional network with each of the three cells.",
    rule=f"Supported if the typical score of all three is above {RIGHT}, contradicted if one is below, mixed if some are "
    "above and some below.",
    parts=_any_cell,
    tasks=(TASK,),
    variants=BOTH_WAYS,
    about_all=True,
    **RULES_2,
)

BILSTM_ATTENTION = Claim(
    sentence="Bidirectional LSTM with attention markedly improves translation and sentiment analysis.",
    comparison="None in this study: it has neither translation nor sentiment analysis.",
    rule="Not run until there is a study with these tasks.",
    parts=lambda _estimates: (),
    **RULES_2,
)
