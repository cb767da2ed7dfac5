"""What a network gains from reading in the other direction, in both, and from attention."""

from ablations.studies.ablation import ablation_study

STUDY = ablation_study(
    "direction",
    "In which direction should a network read, how should two directions be merged, and what does attention add?",
    ["lstm", "lstm-backward", "bilstm", "bilstm-sum", "bilstm-attention"],
    ["disambiguation", "adding", "france"],
)
