"""The learning-rate schedules."""

from math import cos, pi


def rate_factor(step: int, steps: int, schedule: str = "linear", warmup: float = 0.0) -> float:
    """The share of its learning rate that a run has at a step, counted from 0.

    Over the first share `warmup` of all steps it rises linearly to 1. From there it falls to 0 after the last step,
    "linear" or as half a "cosine" (Loshchilov & Hutter 2017), or stays "constant".

    >>> [rate_factor(step, steps=4) for step in range(4)]
    [1.0, 0.75, 0.5, 0.25]
    >>> [rate_factor(step, 4, "constant", warmup=0.5) for step in range(4)]
    [0.3333333333333333, 0.6666666666666666, 1.0, 1.0]
    """
    first = round(warmup * steps)
    if step < first:
        return (step + 1) / (first + 1)
    share = (step - first) / (steps - first)
    return {"linear": 1 - share, "cosine": (1 + cos(pi * share)) / 2, "constant": 1.0}[schedule]
