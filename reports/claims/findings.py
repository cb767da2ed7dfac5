"""Published findings on ablations, and the claims that test them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from reports.claims.claim import MARGIN, Claim, Comparison, above, below, pooled_difference
from reports.result_tables import ResultTables

Effect = Literal["worse", "not worse", "not better", "better"]


@dataclass(frozen=True)
class Finding:
    """A published effect: `variant` is worse, not worse, not better or better than `against`; `study` tests it."""

    variant: str
    against: str
    effect: Effect
    source: str
    sentence: str
    study: str

    def claim(self) -> Claim:
        """The finding as a claim about the pooled paired difference in skill."""
        limit, side = RULES[self.effect]
        return Claim(
            sentence=f"{self.sentence} ({self.source})",
            comparison=f"Skill of {self.variant} minus that of {self.against}, each tuned, paired by seed, pooled over the "
            "tasks (interquartile mean).",
            rule=f"Supported if the difference's whole interval is {side} {limit}, contradicted if it is on the other side.",
            parts=partial(_parts, self),
            variants=(self.variant, self.against),
            study=self.study,
        )


RULES: dict[Effect, tuple[float, str]] = {
    "worse": (-MARGIN, "below"),
    "not worse": (-MARGIN, "above"),
    "not better": (MARGIN, "below"),
    "better": (MARGIN, "above"),
}
"""(limit, side): the difference supports the finding if its interval is on that side of the limit."""


def _parts(finding: Finding, results: ResultTables, rng: np.random.Generator) -> Sequence[Comparison]:
    limit, side = RULES[finding.effect]
    difference = pooled_difference(results, finding.variant, finding.against, rng)
    judge = above if side == "above" else below
    return [judge(f"skill of {finding.variant} minus that of {finding.against}", difference, limit)]


GREFF = "Greff et al. 2015"
SOME = f"{GREFF}, on two of three datasets"

FINDINGS: dict[str, Finding] = {
    "forget-gate": Finding(
        "lstm-no-forget-gate", "lstm", "worse", GREFF, "Removing the forget gate hurts.", "lstm_ablation"
    ),
    "output-activation": Finding(
        "lstm-no-output-activation", "lstm", "worse", GREFF, "Removing the output activation hurts.", "lstm_ablation"
    ),
    "input-gate": Finding(
        "lstm-no-input-gate", "lstm", "worse", SOME, "Removing the input gate hurts.", "lstm_ablation"
    ),
    "output-gate": Finding(
        "lstm-no-output-gate", "lstm", "worse", SOME, "Removing the output gate hurts.", "lstm_ablation"
    ),
    "input-activation": Finding(
        "lstm-no-input-activation", "lstm", "worse", SOME, "Removing the input activation hurts.", "lstm_ablation"
    ),
    "coupled-gates": Finding(
        "lstm-coupled",
        "lstm",
        "not worse",
        GREFF,
        "Coupling the input and forget gates does not hurt.",
        "lstm_ablation",
    ),
    "peepholes": Finding(
        "lstm-peepholes", "lstm", "not better", GREFF, "Peepholes can be left out: they do not help.", "lstm_ablation"
    ),
    "forget-bias": Finding(
        "lstm-forget-bias-0",
        "lstm",
        "worse",
        "Jozefowicz et al. 2015",
        "A forget gate that starts from a bias of 0 is worse than one that starts from 1.",
        "lstm_ablation",
    ),
    "chrono": Finding(
        "lstm-chrono",
        "lstm",
        "better",
        "Tallec & Ollivier 2018",
        "Biases that start from the range of the dependencies help.",
        "lstm_ablation",
    ),
    "one-gate": Finding(
        "mgu", "gru", "not worse", "Zhou et al. 2016", "One gate is as good as a GRU's two.", "gru_ablation"
    ),
    "reset-gate": Finding(
        "gru-no-reset",
        "gru",
        "not worse",
        "Ravanelli et al. 2018, of speech",
        "The reset gate can be left out.",
        "gru_ablation",
    ),
    "identity-start": Finding(
        "rnn-identity",
        "rnn",
        "better",
        "Le et al. 2015",
        "Rectified linear units that start from the identity remember longer than tanh.",
        "rnn_ablation",
    ),
    "recurrence": Finding(
        "rnn-no-recurrence", "rnn", "worse", "by construction", "Without recurrence there is no memory.", "rnn_ablation"
    ),
    "both-directions": Finding(
        "bilstm", "lstm", "better", "the introduction", "Reading in both directions helps.", "direction"
    ),
    "attention": Finding(
        "bilstm-attention",
        "bilstm",
        "better",
        "the introduction, of translation and sentiment analysis",
        "Attention over a bidirectional LSTM markedly helps.",
        "direction",
    ),
}
"""Every finding by the id of its claim."""
