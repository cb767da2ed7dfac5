"""Random operations of a cohort's networks, dropout for example: every run draws from a stream of its own.

R runs.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode


def is_random(function: Any) -> bool:
    """Whether an operation of torch draws random numbers."""
    return torch.Tag.nondeterministic_seeded in getattr(function, "tags", ())


class Noise(TorchDispatchMode):
    """The random streams of R runs. Within it, a random operation on R runs at once draws for each from its stream.

    What a run draws so does not depend on which others are in its cohort.
    """

    def __init__(self) -> None:
        super().__init__()
        self.state: list[Tensor] = []

    def start(self, seeds: Sequence[int]) -> None:
        """Starts the streams, one for each run."""
        self.state = [torch.Generator().manual_seed(seed).get_state() for seed in seeds]

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return (self.drawing(function) if is_random(function) else function)(*args, **(kwargs or {}))

    def drawing(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A random operation on the stacked tensors of all runs, as one that draws for each run by itself."""

        def draw(*args: Any, **kwargs: Any) -> Any:
            before, states = torch.get_rng_state(), list(self.state)
            try:
                drawn = [self._draw_run(function, args, kwargs, states, run) for run in range(len(states))]
            finally:
                torch.set_rng_state(before)
            self.state = states
            if function._schema.is_mutable:  # type: ignore[attr-defined]  # an operation has a schema
                return args[0]
            if isinstance(drawn[0], tuple):
                return tuple(map(torch.stack, zip(*drawn, strict=True)))
            return torch.stack(drawn)

        draw.draws_by = function  # type: ignore[attr-defined]  # tells it from an operation without effects
        return draw

    def _draw_run(self, function: Callable[..., Any], args: Any, kwargs: Any, states: list[Tensor], run: int) -> Any:
        torch.set_rng_state(states[run])
        own = [_of_run(value, run, len(states)) for value in args]
        drawn = function(*own, **{name: _of_run(value, run, len(states)) for name, value in kwargs.items()})
        states[run] = torch.get_rng_state()
        return drawn


def _of_run(value: Any, run: int, runs: int) -> Any:
    """A run's part of an argument: of a tensor with the runs in front, or of a shape that begins with their number."""
    if isinstance(value, Tensor) and value.dim() and value.shape[0] == runs:
        return value[run]
    if isinstance(value, list | tuple) and value and value[0] == runs:
        return value[1:]
    return value
