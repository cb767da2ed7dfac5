"""Compares the chance that a task declares with what answers score that do not look at the input.

n sequences, T steps, K outputs, U written symbols.
"""

from collections.abc import Callable, Iterator
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from tasks import IGNORED, Batch, Task, TaskSpec

BATCHES = 32
"""Batches of each half: answers are chosen on the first half, and measured on the second. Their spread is the error."""

MOST = 64
"""Sequences of a batch; of long ones there are fewer."""

NUMBERS = 100_000
"""Outputs of a batch, T × K numbers for each sequence: 0.1 to 0.3 seconds for all of them."""

CANDIDATES = 4
"""The classes that are tried are the most frequent ones."""

CLEAR = 5.0
"""Standard errors beyond which a difference is no accident: with 32 batches one task of 100,000 is beyond them by chance."""

ROUNDING = 1e-5


class Answer(NamedTuple):
    """An answer that is the same for all sequences: its outputs (K,) or (U, K), in words."""

    outputs: Tensor
    words: str


def wrong_chance(task: Task) -> str | None:
    """What is wrong with the chance of a task's score and loss, or None.

    Chance is the zero of skill: the score of who does not look at the input. So no constant answer may score clearly above
    it, nor lose clearly less than the chance of the loss, where that is declared. Constant answers are the most frequent
    classes, and equal or the classes' shares as probabilities; of numbers the mean and the deciles; of a written answer the
    most frequent symbol at each place. The converse is not checked: who guesses may know more than any constant answer,
    as that a word has one of two senses. Drawn from a generator of its own, always the same.
    """
    form = task.at(task.nominal)
    chosen, measured = _batches(form, 0), _batches(form, 1)
    answers = list(_answers(chosen, form.spec))
    return _low_score(form, answers, chosen, measured) or _high_loss(form, answers, chosen, measured)


def _low_score(task: Task, answers: list[Answer], chosen: list[Batch], measured: list[Batch]) -> str | None:
    best = max(answers, key=lambda answer: float(np.mean(_values(task.score, answer, chosen))))
    scores = _values(task.score, best, measured)
    chance = task.references()["chance"]
    if scores.mean() - chance <= CLEAR * _error(scores) + ROUNDING:
        return None
    return (
        f"has a chance of {chance:g}, but {best.words} scores {scores.mean():.3g} ± {_error(scores):.1g}; `chance` in "
        "references() is the score of the best answer that does not look at the input"
    )


def _high_loss(task: Task, answers: list[Answer], chosen: list[Batch], measured: list[Batch]) -> str | None:
    chance = task.loss_references().get("chance")
    if chance is None:
        return None
    best = min(answers, key=lambda answer: float(np.mean(_values(task.loss, answer, chosen))))
    losses = _values(task.loss, best, measured)
    if chance - losses.mean() <= CLEAR * _error(losses) + ROUNDING:
        return None
    return (
        f"has loss_references() whose 'chance' is {chance:g}, but {best.words} loses {losses.mean():.3g} ± "
        f"{_error(losses):.1g}; it is the loss of the best answer that does not look at the input"
    )


def _batches(task: Task, half: int) -> list[Batch]:
    rng = np.random.default_rng((0, half))
    spec = task.spec
    n = min(MOST, max(2, NUMBERS // (max(spec.symbols, spec.length if spec.per_step else 1) * spec.outputs)))
    return [task.sample(rng, n) for _ in range(BATCHES)]


def _values(measure: Callable[[Tensor, Batch], Tensor], answer: Answer, batches: list[Batch]) -> np.ndarray:
    return np.array([float(measure(_expanded(answer.outputs, batch), batch)) for batch in batches])


def _expanded(outputs: Tensor, batch: Batch) -> Tensor:
    """The answer for each sequence of a batch: (n, K), (n, T, K), or (n, U, K) for answers of U symbols."""
    if outputs.dim() == 2:
        outputs = outputs[: batch.targets.shape[1]]
    return outputs.expand(*batch.targets.shape, outputs.shape[-1]).clone()


def _error(values: np.ndarray) -> float:
    return float(values.std(ddof=1)) / sqrt(len(values))


def _answers(batches: list[Batch], spec: TaskSpec) -> Iterator[Answer]:
    if batches[0].targets.is_floating_point():
        yield from _numbers(batches, spec)
    elif spec.symbols:
        yield from _written(batches, spec)
    else:
        yield from _classes(torch.cat([_answered(batch) for batch in batches]), spec.outputs)


def _answered(batch: Batch) -> Tensor:
    """All targets that a batch has, one after the other; of numbers at each step, those of the sequences themselves."""
    targets = batch.targets
    if targets.is_floating_point():
        return targets[batch.mask] if targets.dim() == 2 else targets
    return targets[targets != IGNORED]


def _numbers(batches: list[Batch], spec: TaskSpec) -> Iterator[Answer]:
    numbers = torch.cat([_answered(batch) for batch in batches])
    for number in (numbers.mean(), *numbers.quantile(torch.linspace(0, 1, 11))):
        yield Answer(number.expand(spec.outputs), f"always answering {float(number):.3g}")


def _classes(targets: Tensor, outputs: int) -> Iterator[Answer]:
    counts = torch.bincount(targets, minlength=outputs)
    for label in counts.argsort(descending=True)[:CANDIDATES].tolist():
        yield Answer(_certain(torch.tensor(label), outputs), f"always answering class {label}")
    yield from _probabilities(counts, "giving each class")


def _written(batches: list[Batch], spec: TaskSpec) -> Iterator[Answer]:
    """Of each place the most frequent symbol; a place that no answer reaches has the first."""
    longest = max(batch.targets.shape[1] for batch in batches) + spec.symbols  # the other half's may be longer
    counts = torch.zeros(longest, spec.outputs, dtype=torch.int64)
    for batch in batches:
        rows, places = (batch.targets != IGNORED).nonzero(as_tuple=True)
        counts.index_put_((places, batch.targets[rows, places]), torch.tensor(1), accumulate=True)
    yield Answer(_certain(counts.argmax(-1), spec.outputs), "always answering the most frequent symbol of each place")
    yield from _probabilities(counts, "giving each symbol of a place")


def _certain(labels: Any, outputs: int) -> Tensor:
    return 20 * one_hot(labels, outputs).float()


def _probabilities(counts: Tensor, words: str) -> Iterator[Answer]:
    """Equal outputs, and the logarithms of the shares of counts (…, K), none of which is taken to be zero."""
    yield Answer(torch.zeros(counts.shape), f"{words} an equal probability")
    shares = (counts + 0.5) / (counts + 0.5).sum(-1, keepdim=True)
    yield Answer(shares.log(), f"{words} its share as its probability")
