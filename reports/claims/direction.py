"""Claims about reading in both directions."""

from collections.abc import Sequence

from reports.claims.claim import Claim
from reports.claims.comparison import Comparison, Side, from_runs, skill_difference
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
            "the score from left to right",
            estimates.replicates(TASK, variant, "score"),
            "below",
            ceiling + AT_CEILING,
            of=f"of {variant}",
            null=ceiling,
        )
        for variant in ONE_WAY
    ]
    birnn = estimates.replicates(TASK, "birnn", "score")
    return [*one_way, from_runs("the score of the bidirectional RNN", birnn, "above", RIGHT)]


FUTURE_CONTEXT = Claim(
    short="Only a network that reads the future tells Teddy bears from Teddy Roosevelt",
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
        from_runs("the score", estimates.replicates(TASK, variant, "score"), "above", RIGHT, of=f"of {variant}")
        for variant in BOTH_WAYS
    ]


ANY_CELL = Claim(
    short="The cell of a bidirectional network may be RNN, LSTM or GRU",
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

TRANSLATION, SENTIMENT = ("dates", "numbers"), ("sentiment", "reviews")
MARKEDLY = 0.1
"""A difference in skill above this counts as markedly better."""

LOSS = 0.1
"""The loss of skill that counts as a fall of quality with length."""

SHORTEST = 3
"""Digits of the shortest numbers."""


def _bilstm_attention(estimates: Estimates) -> Sequence[Comparison]:
    fields = {"translation": TRANSLATION, "sentiment analysis": SENTIMENT}
    others = {"lstm": "the LSTM", "bilstm": "the bidirectional LSTM"}
    return [
        skill_difference(
            estimates,
            "bilstm-attention",
            other,
            "above",
            MARKEDLY,
            tasks,
            f"its lead in skill in {field}",
            f"over {name}",
        )
        for field, tasks in fields.items()
        for other, name in others.items()
    ]


BILSTM_ATTENTION = Claim(
    short="Attention markedly improves translation and sentiment analysis",
    sentence="Bidirectional LSTM with attention markedly improves translation and sentiment analysis.",
    comparison="Paired difference in skill at equal parameters between the bidirectional LSTM with attention and the LSTM, and "
    "the bidirectional LSTM without attention; in translation (dates, numbers) and in sentiment analysis (sentiment, reviews) "
    "apart, each the mean over those tasks that the study has.",
    rule=f"Supported if all four differences are above {MARKEDLY}, contradicted if all are below, mixed if some are above and "
    "some below.",
    parts=_bilstm_attention,
    tasks=(*TRANSLATION, *SENTIMENT),
    variants=("lstm", "bilstm", "bilstm-attention"),
    studies=("claims", "attention"),
    about_all=True,
    remark="Where the LSTM without attention has solved a task, nothing is left to improve, and the claim is contradicted "
    "there. Whether it is the choosing that helps, or that all states can be reached, is told by the bidirectional LSTM with "
    "uniform weights, in the table of skills.",
    version=3,
    date="2026-11-27",
    changed="Version 2 compared nothing. This one was written after numbers of single trainings with other seeds had been seen.",
)


def _attention_length(estimates: Estimates) -> Sequence[Comparison]:
    expected: list[tuple[str, str, Side]] = [("bilstm", "without", "above"), ("bilstm-attention", "with", "below")]
    setting = estimates.results.setting("numbers")
    has_lengths = setting is not None and setting.nominal > SHORTEST
    return [
        from_runs(
            f"the skill lost to length {how} attention",
            estimates.skill_lost("numbers", variant) if has_lengths else None,
            side,
            LOSS,
        )
        for variant, how, side in expected
    ]


ATTENTION_LENGTH = Claim(
    short="Without attention a translation gets worse with its length, with attention it does not",
    sentence="Without attention the quality of a translation falls with its length; with attention it does not. "
    "(Bahdanau et al. 2015)",
    comparison=f"Skill on numbers of {SHORTEST} digits, the shortest trained, minus skill on the longest trained, of the "
    "bidirectional LSTM without attention and with it.",
    rule=f"Supported if the typical loss is above {LOSS} without attention and below it with attention; contradicted if one of "
    "them is on the other side.",
    parts=_attention_length,
    tasks=("numbers",),
    variants=("bilstm", "bilstm-attention"),
    studies=("attention",),
    remark="The paper's translations are of whole sentences. Where all trained numbers have three digits, it is not run.",
    version=1,
    date="2026-11-27",
    changed="Written after numbers of single trainings with other seeds had been seen.",
)
