"""Ablated cells beside the plain Python loop of the same cell, and beside the cell that each is an ablation of."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from statistics import median

from ablations.models import CELLS, Recurrent
from ablations.models.cell import Cell
from benchmarks.flops import training_flops
from benchmarks.layers import Row
from benchmarks.timing import Work, interleaved, median_ratio
from benchmarks.work import INPUTS, on_eager_backend, passes

T, B = 100, 32
SIZES = (32, 64, 128)
OTHERS = ("slstm", "mingru")
"""Cells that are nobody's ablation, and that torch.nn does not have either."""


def ablated_cells() -> list[type[Cell]]:
    """Every cell that torch.nn does not have."""
    return [cell for cell in CELLS.values() if cell.parent or cell.name in OTHERS]


def ablated_matrix(sizes: Sequence[int], rounds: int) -> Iterable[Row]:
    """One row for each ablated cell and size: a forward and backward pass."""
    for cell, H in product(ablated_cells(), sizes):
        kernel = passes(Recurrent(cell.name, INPUTS, H), B, T)
        sides: dict[str, Work] = {"ours": kernel, "loop": on_eager_backend(kernel)}
        if cell.parent:
            sides["parent"] = passes(Recurrent(cell.parent.name, INPUTS, H), B, T)
        yield ablated_row(cell, H, interleaved(sides, rounds))


def ablated_row(cell: type[Cell], H: int, times: Mapping[str, Sequence[float]]) -> Row:
    """What is told of the times, in milliseconds, of one ablated cell."""
    row: Row = {
        "cell": cell.name,
        "parent": cell.parent.name if cell.parent else "",
        "H": H,
        "ours_ms": median(times["ours"]),
        "loop_ms": median(times["loop"]),
        "ratio": median_ratio(times["loop"], times["ours"]),
        "time_to_parent": None,
        "per_flop_to_parent": None,
    }
    if cell.parent:
        own, of_parent = (training_flops(each, B, T, INPUTS, H) for each in (cell, cell.parent))
        row["time_to_parent"] = median_ratio(times["ours"], times["parent"])
        row["per_flop_to_parent"] = row["time_to_parent"] * of_parent / own
    return row
