"""What each part of an LSTM does: the variants of Greff et al. (2015), and what its forget gate starts from."""

from ablations.studies.ablation import ablation_study

STUDY = ablation_study(
    "lstm_ablation",
    "What does each part of an LSTM do, and which can it do without?",
    [
        "lstm",
        "lstm-no-input-gate",
        "lstm-no-forget-gate",
        "lstm-no-output-gate",
        "lstm-no-input-activation",
        "lstm-no-output-activation",
        "lstm-coupled",
        "lstm-peepholes",
        "lstm-full-gate-recurrence",
        "lstm-forget-bias-0",
        "lstm-chrono",
        "slstm",
    ],
    ["copying", "adding", "france"],
)
