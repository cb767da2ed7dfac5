"""The statements. What a paper says was read in its abstract or text, unless it is said to be recalled."""

from collections.abc import Mapping

from ablations.record.schema import SettingRecord
from reports.theorems.card import Card, Side, of_causal_readers, of_networks

NONLINEAR = ("rnn", "lstm", "gru")
"""Cells whose state goes through a nonlinear function at each step: they can be made into any finite automaton."""

WINDOWS = ("feedforward", "cnn", "tcn")


def _counts_in_three(setting: SettingRecord) -> Side | None:
    """Modulo 2 is parity; that is another statement."""
    is_parity = setting.task_parameters.get("modulus", 3) == 2
    return None if is_parity else _BEYOND_DIAGONAL(setting)


def _beyond_windows(setting: SettingRecord) -> Side | None:
    """A finite automaton is enough for a word problem, and none is for anbn: see the card on counting."""
    return _WORD_PROBLEM(setting) or _COUNT(setting)


_WORD_PROBLEM = of_networks(("parity", "modulo", "s3", "a5"), cannot=WINDOWS, can=NONLINEAR)
_COUNT = of_networks(("anbn",), cannot=WINDOWS, can=("lstm",))
_BEYOND_DIAGONAL = of_networks(("modulo", "s3", "a5"), cannot=("mingru", "mingru-signed"), can=NONLINEAR)

CARDS: Mapping[str, Card] = {
    "positive-gates": Card(
        title="Gates that are never negative cannot do parity",
        statement="A linear recurrence whose state is multiplied by gates between 0 and 1 cannot tell, in finite precision and "
        "at all lengths, whether the number of ones is odd. With factors between −1 and 1 it can, and so can a nonlinear RNN.",
        source="Sarrof, Veitsman & Hahn (2024); Grazzi et al. (2025).",
        consequence="Who needs the state of a switch after many commands should not take a minGRU, or a state-space model with "
        "positive gates. One changed term, mingru-signed, lifts this limit.",
        limits="The statement is about all lengths together. It names no length at which a given network fails, and that weights "
        "exist which solve a task does not say that training finds them.",
        side=of_networks(("parity",), cannot=("mingru",), can=("mingru-signed", *NONLINEAR)),
    ),
    "diagonal-recurrence": Card(
        title="A diagonal linear recurrence cannot count modulo 3",
        statement="A linear recurrence in which each unit has a real factor of its own cannot, in finite precision and at all "
        "lengths, count modulo 3, whatever the signs of the factors. The products of S3 and of A5 have that in them. For A5 it "
        "would lack the depth in any case, unless TC⁰ = NC¹. A nonlinear RNN can be any finite automaton.",
        source="Grazzi et al. (2025), that matrices which are not triangular are needed; Merrill, Petty & Sabharwal (2024) of "
        "A5. That S3 and A5 contain counting modulo 3 is seen from words that repeat one rotation of three letters.",
        consequence="Negative factors are enough for parity and for nothing beyond it: who follows more than a switch needs a "
        "recurrence that mixes its units.",
        limits="As above: of all lengths together, and of what weights can do, not of what training finds. On short sequences "
        "a table of what was seen can be enough.",
        side=_counts_in_three,
    ),
    "limited-window": Card(
        title="Who sees a limited window cannot follow a state beyond it",
        statement="On sequences longer than its window a network's answer does not depend on what lies outside. In word problems "
        "(parity, modulo, s3, a5) all products are equally probable to who misses the first symbol: the expected score is "
        "exactly chance. In anbn, words with a surplus of a few letters consist of the same windows as those without, so that at "
        "most 3 of 4 can be right.",
        source="By construction: the window is 9 steps for the CNN, at most 3 steps more than twice the longest training "
        "sequence for the TCN, and the longest training sequence for the feed-forward network, which refuses longer ones.",
        consequence="For unbounded sequences a recurrent network is needed, or a window that is known to be long enough.",
        limits="Within its window such a network may be as good as any.",
        side=_beyond_windows,
    ),
    "causal-ceiling": Card(
        title="Who reads from left to right cannot pass the causal ceiling",
        statement="Where the answer depends on what comes later, a left-to-right reader has the expected score of the best guess "
        "from what it has read, at the most: the task's causal ceiling. A reader of both sides has none.",
        source="By construction; the ceiling is computed from the task's parameters and stands in the table of references. "
        "A score above it by more than chance allows stops the report (reports/alarm.py).",
        consequence="Who may wait for the end of a sentence should read it in both directions.",
        limits="That a network may see the future does not say that it learns to use it.",
        side=of_causal_readers,
    ),
    "counting": Card(
        title="A bounded state cannot count without end",
        statement="The LSTM's cell state can add one at each step, without a bound but that of its numbers. The states of GRU "
        "and tanh RNN lie between −1 and 1; in a fixed precision they have so many values and no more, and count no further.",
        source="Weiss, Goldberg & Yahav (2018), of aⁿbⁿ; contested since.",
        consequence="Who must count, brackets or items, far beyond the examples of training should prefer the LSTM.",
        limits="The floating-point numbers used here are finer near 0 than a fixed precision is: a tanh RNN may shrink its state "
        "at each a, and stretch it at each b (Rodriguez, Wiles & Elman 1999, recalled), over hundreds of steps. And a counter "
        "that training has found may leak.",
        side=of_networks(("anbn",), cannot=("gru", "rnn"), can=("lstm",)),
    ),
}
"""Every card by its id."""
