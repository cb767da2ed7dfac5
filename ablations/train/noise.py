"""Random operations of a cohort's networks, dropout for example: every run draws from a stream of its own.

R runs.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

Seeds = Callable[[], Sequence[int]]
"""The seeds of R streams; called only if something is drawn."""


_single: ContextVar[int | None] = ContextVar("single", default=None)


@contextmanager
def single_run(run: int) -> Iterator[None]:
    """Within it, operations are those of one run alone, and draw from its stream."""
    token = _single.set(run)
    try:
        yield
    finally:
        _single.reset(token)


def is_random(function: Any) -> bool:
    """Whether an operation of torch draws random numbers."""
    return torch.Tag.nondeterministic_seeded in getattr(function, "tags", ())


class Noise(TorchDispatchMode):
    """The random streams of R runs. Within it, a random operation on R runs at once draws for each from its stream.

    So what a run draws does not depend on which others are in its cohort. The streams begin anew at `start`.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._seeds: Seeds = tuple
        self._states: list[Tensor] | None = None

    def start(self, seeds: Seeds) -> None:
        """Begins the streams with these seeds, one for each run."""
        self._seeds, self._states = seeds, None

    def restart(self) -> None:
        """Begins the same streams again."""
        self._states = None

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return (self.drawing(function) if is_random(function) else function)(*args, **(kwargs or {}))

    def drawing(self, function: Any) -> Callable[..., Any]:
        """A random operation on the stacked tensors of all runs, as one that draws for each run by itself."""

        def draw(*args: Any, **kwargs: Any) -> Any:
            if self._states is None:
                self._states = [torch.Generator().manual_seed(seed).get_state() for seed in self._seeds()]
            run = _single.get()
            with torch.random.fork_rng(devices=[]):
                if run is not None:
                    return self._draw(function, args, kwargs, run)
                drawn = [self._draw_run(function, args, kwargs, run) for run in range(len(self._states))]
            if function._schema.is_mutable:
                return args[0]
            if isinstance(drawn[0], tuple):
                return tuple(map(torch.stack, zip(*drawn, strict=True)))
            return torch.stack(drawn)

        draw.draws_by = function  # type: ignore[attr-defined]  # tells it from a function without effects
        return draw

    def _draw_run(self, function: Any, args: Any, kwargs: Any, run: int) -> Any:
        assert self._states is not None
        runs = len(self._states)
        own = [_of_run(value, run, runs) for value in args]
        return self._draw(function, own, {name: _of_run(value, run, runs) for name, value in kwargs.items()}, run)

    def _draw(self, function: Any, args: Any, kwargs: Any, run: int) -> Any:
        """What a function draws from a run's stream."""
        assert self._states is not None
        torch.set_rng_state(self._states[run])
        drawn = function(*args, **kwargs)
        self._states[run] = torch.get_rng_state()
        return drawn


def _of_run(value: Any, run: int, runs: int) -> Any:
    """A run's part of an argument: of a tensor with the runs in front, or of a shape that begins with their number."""
    if isinstance(value, Tensor) and value.dim() and value.shape[0] == runs:
        return value[run]
    if isinstance(value, list | tuple) and value and value[0] == runs:
        return value[1:]
    return value
