"""Published findings on ablations, and the claims that test them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from reports.claims.claim import Claim
from reports.claims.comparison import MARGIN, Comparison, Side, skill_difference
from reports.claims.direction import SENTIMENT, TRANSLATION
from reports.claims.rule_dates import changed_too
from reports.estimates import Estimates

Effect = Literal["worse", "not worse", "not better", "better"]


@dataclass(frozen=True)
class Finding:
    """A published effect: `variant` is worse, not worse, not better or better than `against`; `study` tests it.

    `tasks` are those that the finding is about, all of the study's if there are none. `remark` says how what was published
    differs from what is tested here.
    """

    variant: str
    against: str
    effect: Effect
    source: str
    sentence: str
    study: str
    tasks: tuple[str, ...] = ()
    remark: str = ""

    def claim(self) -> Claim:
        """The finding as a claim about the paired difference in skill."""
        limit, side = RULES[self.effect]
        return Claim(
            sentence=f"{self.sentence} ({self.source})",
            comparison=f"Skill of {self.variant} minus that of {self.against}, each tuned, paired by seed, the mean over "
            f"{', '.join(self.tasks) or 'the tasks'}.",
            rule=f"Supported if the mean is {side} {limit} and no task goes the other way, contradicted if it is on the other "
            "side and no task goes the other way, mixed if some tasks are on one side and some on the other.",
            parts=partial(_parts, self),
            tasks=self.tasks,
            variants=(self.variant, self.against),
            studies=(self.study,),
            about_all=True,
            remark=self.remark,
            **changed_too(self.remark and "What is attributed to the paper was mended on the same day."),
        )


RULES: Mapping[Effect, tuple[float, Side]] = {
    "worse": (-MARGIN, "below"),
    "not worse": (-MARGIN, "above"),
    "not better": (MARGIN, "below"),
    "better": (MARGIN, "above"),
}
"""(limit, side): the difference supports the finding on that side of the limit. No worse and no better are equivalences."""


def _parts(finding: Finding, estimates: Estimates) -> Sequence[Comparison]:
    limit, side = RULES[finding.effect]
    return [skill_difference(estimates, finding.variant, finding.against, side, limit, finding.tasks)]


GREFF = "Greff et al. 2015"
SOME = f"{GREFF}, on two of three datasets"
PEEPHOLES = "The LSTM of the paper has peepholes; the one here has none."

FINDINGS: dict[str, Finding] = {
    "forget-gate": Finding(
        "lstm-no-forget-gate",
        "lstm",
        "worse",
        GREFF,
        "Removing the forget gate hurts.",
        "lstm_ablation",
        remark=PEEPHOLES,
    ),
    "output-activation": Finding(
        "lstm-no-output-activation",
        "lstm",
        "worse",
        GREFF,
        "Removing the output activation hurts.",
        "lstm_ablation",
        remark=PEEPHOLES,
    ),
    "input-gate": Finding(
        "lstm-no-input-gate",
        "lstm",
        "worse",
        SOME,
        "Removing the input gate hurts.",
        "lstm_ablation",
        remark=PEEPHOLES,
    ),
    "output-gate": Finding(
        "lstm-no-output-gate",
        "lstm",
        "worse",
        SOME,
        "Removing the output gate hurts.",
        "lstm_ablation",
        remark=PEEPHOLES,
    ),
    "input-activation": Finding(
        "lstm-no-input-activation",
        "lstm",
        "worse",
        SOME,
        "Removing the input activation hurts.",
        "lstm_ablation",
        remark=PEEPHOLES,
    ),
    "coupled-gates": Finding(
        "lstm-coupled",
        "lstm",
        "not worse",
        GREFF,
        "Coupling the input and forget gates does not hurt.",
        "lstm_ablation",
        remark=PEEPHOLES,
    ),
    "peepholes": Finding(
        "lstm",
        "lstm-peepholes",
        "not worse",
        GREFF,
        "Removing the peepholes does not hurt.",
        "lstm_ablation",
        remark="The LSTM of the paper has peepholes, and its variant without them is the LSTM here.",
    ),
    "full-gate-recurrence": Finding(
        "lstm-full-gate-recurrence",
        "lstm",
        "not better",
        f"{GREFF}, from memory, not checked in its text",
        "Gates that see all gates of the step before do not help.",
        "lstm_ablation",
        remark=f"{PEEPHOLES} The paper tests this variant; what it found is recalled here and was not looked up.",
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
        "Tallec & Ollivier 2018, of copying and adding with long delays",
        "Biases that start from the range of the dependencies help.",
        "lstm_ablation",
        tasks=("copying", "adding"),
        remark="The paper's delays are 500 to 2,000 steps. At the delays of a small scale this is another question.",
    ),
    "one-gate": Finding(
        "mgu",
        "gru-reset-before",
        "not worse",
        "Zhou et al. 2016",
        "One gate is as good as a GRU's two.",
        "gru_ablation",
        remark="The minimal gated unit comes from the GRU that resets before the product, and is compared to that one.",
    ),
    "reset-gate": Finding(
        "gru-no-reset",
        "gru",
        "not worse",
        "Ravanelli et al. 2018, M-GRU, of speech",
        "The reset gate can be left out.",
        "gru_ablation",
        remark="The paper's M-GRU removes the reset gate alone. Its Li-GRU also has ReLU in place of tanh; it is not this one.",
    ),
    "identity-start": Finding(
        "rnn-identity",
        "rnn",
        "better",
        "Le et al. 2015",
        "Rectified linear units that start from the identity remember longer than tanh.",
        "rnn_ablation",
        remark="The paper draws the input weights from a normal distribution of standard deviation 0.001; here they start "
        "as those of torch.nn do.",
    ),
    "recurrence": Finding(
        "rnn-no-recurrence",
        "rnn",
        "worse",
        "by construction",
        "Without recurrence there is no memory.",
        "rnn_ablation",
        remark="It can come out otherwise only where the plain RNN does not learn the task either: without recurrence an answer "
        "does not depend on what was read before.",
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
    "attention-in-translation": Finding(
        "bilstm-attention",
        "bilstm",
        "better",
        "Bahdanau et al. 2015",
        "Attention improves translation.",
        "attention",
        TRANSLATION,
        remark="The paper translates sentences from English into French, word by word, with gated units of its own.",
    ),
    "uniform-weights": Finding(
        "bilstm-uniform",
        "bilstm-attention",
        "not worse",
        "Wiegreffe & Pinter 2019, on some of their data sets",
        "In classification, uniform weights lose nothing against learned ones.",
        "attention",
        SENTIMENT,
        remark="The paper's texts are real; the sentences of the task sentiment are made by a grammar.",
    ),
}
"""Every finding by the id of its claim."""
