"""What one answer for a whole sequence should be read from."""

from ablations.studies.ablation import ablation_study

STUDY = ablation_study(
    "pooling",
    "Should one answer for a sequence be read from the last state, or from the mean or the maximum of all states?",
    ["lstm", "lstm-mean", "lstm-max"],
    ["adding", "france"],
)
