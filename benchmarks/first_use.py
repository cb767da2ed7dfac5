"""What the first use of a cell costs: in a process that has to compile it, and in one that finds it compiled."""

import os
import subprocess
import sys
from collections.abc import Iterable
from tempfile import TemporaryDirectory

from benchmarks.layers import Row

CELLS = ("rnn", "lstm", "gru", "gru-reset-before", "lstm-full-gate-recurrence", "slstm")
USE = """
import sys, time, torch
from ablations.models.recurrent import RecurrentLayer
layer, x = RecurrentLayer(sys.argv[1], 16, 32), torch.randn(32, 10, 16)
began = time.perf_counter()
layer(x)[0].sum().backward()
print(time.perf_counter() - began)
"""


def first_use_table() -> Iterable[Row]:
    """Seconds of the first forward and backward pass, the import of the compiler included."""
    for cell in CELLS:
        with TemporaryDirectory() as cache:
            first, second = (seconds(cell, cache) for _ in range(2))
        yield {"cell": cell, "first_use_s": first, "next_process_s": second}


def seconds(cell: str, cache: str) -> float:
    """What the first use takes in a fresh process with that folder of compiled cells."""
    command = [sys.executable, "-c", USE, cell]
    environment = os.environ | {"XDG_CACHE_HOME": cache}
    return float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
