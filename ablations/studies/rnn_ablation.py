"""What a simple recurrent network owes to its activation, its start, and its recurrence."""

from ablations.studies.ablation import ablation_study

STUDY = ablation_study(
    "rnn_ablation",
    "What do activation, start and recurrence do in a simple recurrent network?",
    ["rnn", "rnn-relu", "rnn-identity", "rnn-no-recurrence"],
    ["copying", "adding", "france"],
)
