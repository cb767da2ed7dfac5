"""Time of the suite's recurrent layers beside torch.nn's: forward and backward, one thread, interleaved, as ratios.

The suite trains R runs side by side; torch.nn's layers train them one after the other. Both see the same data.
"""

import os
from collections.abc import Callable
from statistics import median
from time import perf_counter

import torch
from torch import nn
from torch.func import functional_call, vmap

from ablations.models import Recurrent

RUNS, B, T, INPUTS, ROUNDS = 6, 32, 30, 16, 7
PEERS = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


def suite(cell: str, hidden: int) -> Callable[[], None]:
    """One forward and backward pass of all runs in one cohort."""
    layer = Recurrent(cell, INPUTS, hidden)
    stacked = {name: p.detach().expand(RUNS, *p.shape).clone().requires_grad_() for name, p in layer.named_parameters()}
    x = torch.randn(RUNS, B, T, INPUTS)

    def step() -> None:
        outputs = vmap(lambda p, x: functional_call(layer, p, (x,)))(stacked, x)
        outputs.square().mean().backward()

    return step


def peer(cell: str, hidden: int) -> Callable[[], None]:
    """The same with torch.nn's layer, run after run."""
    layer = PEERS[cell](INPUTS, hidden, batch_first=True)
    x = torch.randn(B, T, INPUTS)

    def step() -> None:
        for _ in range(RUNS):
            layer(x)[0].square().mean().backward()

    return step


def main() -> None:
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, one thread; {RUNS} runs, B = {B}, T = {T}")
    print(f"{'cell':6} {'hidden':>6} {'suite ms':>9} {'torch ms':>9} {'torch / suite':>14}")
    for cell in PEERS:
        for hidden in (16, 32, 64, 128):
            sides = suite(cell, hidden), peer(cell, hidden)
            times: tuple[list[float], list[float]] = ([], [])
            for _ in range(ROUNDS + 1):
                for side, taken in zip(sides, times, strict=True):
                    began = perf_counter()
                    side()
                    taken.append((perf_counter() - began) * 1e3)
            ours, theirs = (median(taken[1:]) for taken in times)
            ratio = median(b / a for a, b in zip(times[0][1:], times[1][1:], strict=True))
            print(f"{cell:6} {hidden:6} {ours:9.1f} {theirs:9.1f} {ratio:14.2f}")


if __name__ == "__main__":
    main()
