"""Named variants: recurrent networks, and their ablations, each of which differs from its parent in one flag or cell."""

from ablations.models.cells import CELLS
from ablations.models.variant import Variant

_OF_FLAGS = (
    Variant(
        "lstm-forget-bias-0", "recurrent", {"cell": "lstm", "forget_bias": 0.0}, "lstm", "forget bias starts from 0"
    ),
    Variant("lstm-chrono", "recurrent", {"cell": "lstm", "forget_bias": "chrono"}, "lstm", "biases start by chrono"),
    Variant("lstm-backward", "recurrent", {"cell": "lstm", "direction": "backward"}, "lstm", "reads backward"),
    Variant("lstm-mean", "recurrent", {"cell": "lstm", "pooling": "mean"}, "lstm", "mean of all states"),
    Variant("lstm-max", "recurrent", {"cell": "lstm", "pooling": "max"}, "lstm", "maximum of all states"),
    Variant("bilstm", "recurrent", {"cell": "lstm", "direction": "both"}, "lstm", "reads in both directions"),
    Variant(
        "bilstm-sum",
        "recurrent",
        {"cell": "lstm", "direction": "both", "merge": "sum"},
        "bilstm",
        "directions summed, not concatenated",
    ),
    Variant("bilstm-attention", "bilstm-attention", {}, "bilstm", "additive attention over the states"),
    Variant(
        "bilstm-uniform", "bilstm-attention", {"weights": "uniform"}, "bilstm-attention", "all states weigh the same"
    ),
    Variant("bag-of-words", "bag-of-words"),
)


def _of_cell(name: str) -> Variant:
    cell = CELLS[name]
    return Variant(name, "recurrent", {"cell": name}, cell.parent.name if cell.parent else None, cell.change)


VARIANTS: dict[str, Variant] = {
    **{name: _of_cell(name) for name in CELLS},
    **{variant.name: variant for variant in _OF_FLAGS},
}
"""Every named variant: one of each cell, and those that differ by a flag."""
