"""What each part of a GRU does."""

from ablations.studies.ablation import ablation_study

STUDY = ablation_study(
    "gru_ablation",
    "What do the two gates of a GRU do, and how few of them are enough?",
    ["gru", "gru-no-reset", "gru-no-update", "gru-reset-before", "mgu", "mingru"],
    ["copying", "adding", "france"],
)
