"""The learning-rate schedule."""


def rate_factor(step: int, steps: int) -> float:
    """The share of its learning rate that a run has left at a step: it falls linearly, from 1 to 0 after the last step.

    >>> [rate_factor(step, steps=4) for step in range(4)]
    [1.0, 0.75, 0.5, 0.25]
    """
    return 1 - step / steps
