"""The difficulties of training sequences, and how they change while a network learns."""

from math import ceil

from tasks import Task

GROWTH = 0.5
"""The share of training after which a growing curriculum has reached the nominal difficulty."""


def training_task(task: Task, curriculum: str, share: float) -> Task:
    """The task that training sequences are drawn from when that share of training is over.

    "logarithmic": the task's own mixture of difficulties up to the nominal one. "uniform": the same, each with equal
    probability. "nominal": the nominal difficulty alone. "growing": the logarithmic mixture up to a difficulty that rises
    linearly from the easiest to the nominal one over the first half of training (Bengio et al. 2009).
    """
    mixture = task.mixture()
    if curriculum == "uniform":
        return mixture.with_difficulties(shortest=mixture.shortest, sampling="uniform")
    if curriculum == "nominal":
        return mixture.with_difficulties(shortest=None, sampling="logarithmic")
    if curriculum == "growing":
        easiest = task.min_difficulty
        hardest = easiest + ceil((task.nominal - easiest) * min(1.0, share / GROWTH))
        return mixture.with_difficulties(shortest=easiest, sampling="logarithmic", nominal=hardest)
    return mixture
