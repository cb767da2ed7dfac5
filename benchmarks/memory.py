"""Peak resident memory of a forward and backward pass, each in a process of its own.

python -m benchmarks.memory ours|torch CELL prints the peak before and after the pass, in MB.
"""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from ablations.train.threads import use_one_thread
from benchmarks.layers import Row
from benchmarks.work import INPUTS, PEERS, passes, peer

H, T, B = 128, 200, 64


def memory_table() -> Iterable[Row]:
    """One row for each cell: the peak, and by how much the pass raises it above that of a tiny one."""
    for cell in PEERS:
        ours, theirs = (measure(side, cell) for side in ("ours", "torch"))
        yield {
            "cell": cell,
            "ours_peak_mb": ours[1],
            "torch_peak_mb": theirs[1],
            "ours_pass_mb": ours[1] - ours[0],
            "torch_pass_mb": theirs[1] - theirs[0],
        }


def measure(side: str, cell: str) -> tuple[float, float]:
    """The peaks, in MB, that the second of two processes tells; the first may have had to compile."""
    command = [sys.executable, "-m", "benchmarks.memory", side, cell]
    for _ in range(2):
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    before, after = map(float, printed.split())
    return before, after


def main(side: str, cell: str) -> None:
    use_one_thread()
    if side == "torch":
        layer = peer(cell, H)
    else:
        from ablations.models import Recurrent

        layer = Recurrent(cell, INPUTS, H)
    passes(layer, 1, 2)()
    before = _peak()
    passes(layer, B, T)()
    print(before, _peak())


def _peak() -> float:
    """From the kernel's own count; that of `getrusage` begins with the size of the process that started this one."""
    fields = dict(line.split(":") for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines())
    return int(fields["VmHWM"].split()[0]) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
