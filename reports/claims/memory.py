"""Claims about memory: fixed length, vanishing gradients, gates."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from reports.claims.claim import MARGIN, Claim, Comparison, above, below, from_runs, pooled_difference
from reports.result_tables import ResultTables
from reports.statistics import Estimate, mean

WELL, HALF, LOSS = 0.9, 0.5, 0.1
"""The skill of good memory, the skill of having learnt a task, and the loss of skill that counts as forgetting."""

FADED = np.log10(0.1)
"""log10 of the share of the gradient below which it counts as vanished: less than a tenth arrives."""

MEMORY = ("copying", "adding", "france")
LONG = "france"


def _at_difficulty(results: ResultTables, variant: str, task: str, which: str) -> pd.Series:
    """The skill of a variant's replicates, by seed, at the shortest or the nominal difficulty of a task."""
    rows = results.difficulty
    rows = rows[(rows["task"] == task) & (rows["variant"] == variant) & ~rows["refused"]]
    difficulty = rows["nominal"] if which == "nominal" else rows["difficulty"].min()
    return rows[rows["difficulty"] == difficulty].set_index("seed")["skill"]


def _refusals(results: ResultTables, variant: str, rng: np.random.Generator) -> Estimate | None:
    """The share of the difficulties above the nominal one that a variant refused, by seed, over all tasks."""
    rows = results.difficulty
    longer = rows[(rows["variant"] == variant) & (rows["difficulty"] > rows["nominal"])]
    return from_runs(longer.groupby("seed")["refused"].mean(), mean, rng)


def _fixed_length(results: ResultTables, rng: np.random.Generator) -> Sequence[Comparison]:
    return [
        above("LSTM's skill minus the feed-forward network's", pooled_difference(results, "lstm", "feedforward", rng), MARGIN),
        above("LSTM's skill minus the CNN's", pooled_difference(results, "lstm", "cnn", rng), MARGIN),
        above("share of longer sequences that the feed-forward network refuses", _refusals(results, "feedforward", rng), HALF),
        above("share of longer sequences that the CNN refuses", _refusals(results, "cnn", rng), HALF),
    ]  # fmt: skip


FIXED_LENGTH = Claim(
    sentence="Feed-forward networks and CNNs do badly on sequences; they need one fixed length.",
    comparison="Paired difference in skill to the LSTM at equal parameters, pooled over the tasks (interquartile mean), "
    "and the share of longer-than-trained sequences that are refused.",
    rule=f"Supported if both differences are above {MARGIN} and both shares above {HALF}; contradicted if any of the "
    "four is below; each with its whole interval.",
    parts=_fixed_length,
    variants=("lstm", "feedforward", "cnn"),
)


def _arriving(results: ResultTables, variant: str, when: str) -> pd.Series:
    """log10 of the gradient's norm at the nominal gap, relative to its largest, by seed.

    The cue itself is a few words farther back.
    """
    rows, setting = results.gradient, results.setting(LONG, variant)
    norms = rows[(rows["task"] == LONG) & (rows["variant"] == variant) & (rows["when"] == when)]
    far = norms[norms["distance"] == setting.nominal] if setting else norms.iloc[:0]
    return np.log10(far.set_index("seed")["relative"].clip(lower=1e-30))


def _vanishing(results: ResultTables, rng: np.random.Generator) -> Sequence[Comparison]:
    short, long = (_at_difficulty(results, "rnn", LONG, which) for which in ("shortest", "nominal"))
    more = (_arriving(results, "lstm", "trained") - _arriving(results, "rnn", "trained")).dropna()
    arriving = _arriving(results, "rnn", "initial")
    return [
        below("the plain RNN's skill at the nominal gap", from_runs(long, mean, rng), HALF),
        above("its skill lost from the shortest to the nominal gap", from_runs((short - long).dropna(), mean, rng), LOSS),
        below("log10 of the share of its gradient that arrives at the gap, untrained", from_runs(arriving, mean, rng), FADED),
        above("log10 of how many times more arrives in the trained LSTM", from_runs(more, mean, rng), 0.0),
    ]  # fmt: skip


VANISHING = Claim(
    sentence="A plain RNN cannot use information from far back, because the gradient vanishes; it suits short-term "
    "dependencies only.",
    comparison="On france: the plain RNN's skill at the shortest and at the nominal gap, and the gradient's norm at the "
    "input that many steps before the answer, relative to its largest.",
    rule=f"Supported if its skill at the nominal gap is below {HALF}, it loses more than {LOSS} of skill from the "
    "shortest gap to that, less than a tenth of its gradient arrives there before training, and more arrives in the "
    "trained LSTM; contradicted if any of the four is the other way round; each with its whole interval.",
    parts=_vanishing,
    tasks=(LONG,),
    variants=("rnn", "lstm"),
)


def _lstm_remembers(results: ResultTables, rng: np.random.Generator) -> Sequence[Comparison]:
    parts = []
    for task in MEMORY:
        short, long = (_at_difficulty(results, "lstm", task, which) for which in ("shortest", "nominal"))
        control = above(f"skill at the shortest difficulty of {task}", from_runs(short, mean, rng), HALF)
        loss = from_runs((short - long).dropna(), mean, rng)
        memory = below(f"skill lost from the shortest to the nominal difficulty of {task}", loss, LOSS)
        is_undecided = control.verdict != "supported" and loss is not None  # a task that was not learnt decides nothing
        parts.append(Comparison(memory.label, loss, "inconclusive") if is_undecided else memory)
        if task == LONG:
            parts.append(above(f"skill at the nominal difficulty of {task}", from_runs(long, mean, rng), WELL))
    return parts


LSTM_REMEMBERS = Claim(
    sentence="LSTM remembers long and short sequences alike, through its forget, update (input) and output gates.",
    comparison="The LSTM's skill at the shortest and at the nominal difficulty of copying, adding and france. What the "
    "single gates do is not tested here.",
    rule=f"A task decides only where it was learnt at all, its skill at the shortest difficulty above {HALF}. Supported "
    f"if it loses less than {LOSS} of skill from the shortest to the nominal difficulty of each task and is above {WELL} "
    "at the nominal gap of france; contradicted if any of these is the other way round; each with its whole interval.",
    parts=_lstm_remembers,
    tasks=MEMORY,
    variants=("lstm",),
)
