"""A cohort beside what JAX makes of the same: one jitted, vmapped scan for all runs, in a process on one core.

python -m benchmarks.jax_peer CELL HIDDEN ROUNDS prints the two sides' milliseconds, round by round, as JSON.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from itertools import product
from statistics import median
from typing import Any

import torch
from torch.func import functional_call, vmap

from ablations.models import CELLS, Recurrent
from ablations.train.threads import use_one_thread
from benchmarks.layers import Row
from benchmarks.timing import Work, interleaved, median_ratio
from benchmarks.work import INPUTS, PEERS

RUNS, T, B = 6, 100, 32
FLAGS = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def jax_table(sizes: Sequence[int], rounds: int) -> Iterable[Row]:
    """One row for each cell and size; none, and a note, where JAX is not installed."""
    if find_spec("jax") is None:
        print("jax is not installed: left out")
        return
    for cell, hidden in product(PEERS, sizes):
        command = [sys.executable, "-m", "benchmarks.jax_peer", cell, str(hidden), str(rounds)]
        environment = os.environ | {"XLA_FLAGS": FLAGS, "JAX_PLATFORMS": "cpu"}
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
        times = json.loads(done.stdout)
        yield {
            "cell": cell,
            "H": hidden,
            "ours_ms": median(times["ours"]),
            "jax_ms": median(times["jax"]),
            "ratio": median_ratio(times["jax"], times["ours"]),
        }


def cohort(cell: str, hidden: int) -> Work:
    """Ours: one forward and backward pass of all runs."""
    layer = Recurrent(cell, INPUTS, hidden)
    stacked = {name: p.detach().expand(RUNS, *p.shape).clone().requires_grad_() for name, p in layer.named_parameters()}
    x, gradient = torch.randn(RUNS, B, T, INPUTS), torch.randn(RUNS, B, T, hidden)

    def work() -> None:
        outputs = vmap(lambda p, x: functional_call(layer, p, (x,)))(stacked, x)
        torch.autograd.grad(outputs, list(stacked.values()), gradient, allow_unused=True)

    return work


def jax_cohort(cell: str, hidden: int) -> Work:
    """The same in JAX, with the products of all inputs before the scan, time first as a scan wants it."""
    import jax
    import jax.numpy as jnp

    def layer(parameters: Any, x: Any) -> Any:
        weight, recurrent, bias, recurrent_bias = parameters
        zero = jnp.zeros((B, hidden))
        start = (zero, zero) if cell == "lstm" else (zero,)
        _, outputs = jax.lax.scan(lambda s, a: _step(cell, s, a, recurrent, recurrent_bias), start, x @ weight + bias)
        return outputs

    def gradients(parameters: Any, x: Any, gradient: Any) -> Any:
        _, pull = jax.vjp(lambda p: jax.vmap(layer)(p, x), parameters)
        return pull(gradient)

    wide, keys = len(CELLS[cell].gates) * hidden, iter(jax.random.split(jax.random.key(0), 6))
    shapes = ((INPUTS, wide), (hidden, wide), (wide,), (wide,))
    parameters = [jax.random.normal(next(keys), (RUNS, *shape)) / hidden**0.5 for shape in shapes]
    x, gradient = (jax.random.normal(next(keys), (RUNS, T, B, size)) for size in (INPUTS, hidden))
    compiled = jax.jit(gradients)
    return lambda: jax.block_until_ready(compiled(parameters, x, gradient))


def _step(cell: str, state: Any, inputs: Any, recurrent: Any, recurrent_bias: Any) -> Any:
    """The new state and the output of one step, given its input part."""
    import jax
    import jax.numpy as jnp

    fed = state[0] @ recurrent + recurrent_bias
    if cell == "rnn":
        h = jnp.tanh(inputs + fed)
        return (h,), h
    if cell == "gru":
        reset, update = (
            jax.nn.sigmoid(a + b) for a, b in zip(jnp.split(inputs, 3, -1)[:2], jnp.split(fed, 3, -1)[:2], strict=True)
        )
        new = jnp.tanh(jnp.split(inputs, 3, -1)[2] + reset * jnp.split(fed, 3, -1)[2])
        h = (1 - update) * new + update * state[0]
        return (h,), h
    i, f, g, o = jnp.split(inputs + fed, 4, -1)
    c = jax.nn.sigmoid(f) * state[1] + jax.nn.sigmoid(i) * jnp.tanh(g)
    h = jax.nn.sigmoid(o) * jnp.tanh(c)
    return (h, c), h


def main(cell: str, hidden: str, rounds: str) -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    use_one_thread()
    sides = {"ours": cohort(cell, int(hidden)), "jax": jax_cohort(cell, int(hidden))}
    print(json.dumps(interleaved(sides, int(rounds))))


if __name__ == "__main__":
    main(*sys.argv[1:])
