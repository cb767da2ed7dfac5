"""The layers beside torch.nn's: a training step at every size, on one thread."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from statistics import geometric_mean, median
from typing import Any

from ablations.models import CELLS, Recurrent
from benchmarks.flops import training_flops
from benchmarks.timing import interleaved, median_ratio
from benchmarks.work import INPUTS, PEERS, peer, training_step

Row = dict[str, Any]

STEPS, BATCHES = (100, 200), (32, 64)


def layer_matrix(sizes: Sequence[int], rounds: int, peak: float) -> Iterable[Row]:
    """One row for each cell, size, length and batch."""
    for cell, H, T, B in product(PEERS, sizes, STEPS, BATCHES):
        sides = {
            "ours": training_step(Recurrent(cell, INPUTS, H), B, T),
            "peer": training_step(peer(cell, H), B, T),
        }
        times = interleaved(sides, rounds)
        yield layer_row(cell, H, T, B, times, peak)


def layer_row(cell: str, H: int, T: int, B: int, times: Mapping[str, Sequence[float]], peak: float) -> Row:
    """What is told of the times, in milliseconds, of one layer; `peak` in GFLOP/s."""
    ours = median(times["ours"])
    speed = training_flops(CELLS[cell], B, T, INPUTS, H) / ours / 1e6
    return {
        "cell": cell,
        "H": H,
        "T": T,
        "B": B,
        "ours_ms": ours,
        "torch_ms": median(times["peer"]),
        "ratio": median_ratio(times["peer"], times["ours"]),
        "us_per_step": ours / T * 1e3,
        "gflops": speed,
        "percent_of_peak": 100 * speed / peak,
    }


def means(rows: Sequence[Row]) -> list[Row]:
    """The geometric means of the ratios over some groups of rows, and the smallest of each."""
    groups = {"all": rows}
    groups |= {cell: [row for row in rows if row["cell"] == cell] for cell in PEERS}
    small = {f"{cell}, H <= 64": [row for row in groups[cell] if row["H"] <= 64] for cell in ("rnn", "gru")}
    groups |= small | {"rnn and gru, H <= 64": [row for group in small.values() for row in group]}
    return [_mean(name, [row["ratio"] for row in group]) for name, group in groups.items() if group]


def _mean(name: str, ratios: Sequence[float]) -> Row:
    return {"rows": name, "geometric_mean": geometric_mean(ratios), "smallest": min(ratios)}
