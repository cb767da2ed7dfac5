"""Validates a task of a user's own before anything is trained: that it draws, scores and refers as `Task` promises.

n sequences, T steps, D features, K outputs, U written symbols.
"""

import random
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ablations.errors import UserError
from ablations.study.chance_check import wrong_chance
from ablations.study.own import failure
from tasks import IGNORED, Batch, Task, TaskSpec

SIZES = (1, 7, 32)
"""How many sequences are drawn."""

CLOSE = 1e-6
"""By how much a score may lie beyond its bounds: rounding."""


def check_task(label: str, task: Task) -> None:
    """Raises `UserError`, in one line, where a task does not keep what `Task` promises."""
    name = f"the task {label!r}"
    try:
        wrong = _wrong_declaration(task) or _wrong_references(task) or _wrong_draws(task)
        wrong = wrong or _wrong_form(task, task.spec) or wrong_chance(task)
    except Exception as error:  # whatever the author's code does
        raise failure(f"{name} fails", type(task), error) from error
    wrong = wrong or _wrong_mixture(name, task) or _wrong_grid(name, task)
    if wrong:
        raise UserError(f"{name} {wrong}")


def _wrong_mixture(name: str, task: Task) -> str | None:
    try:
        mixture = task.mixture()
        return _wrong_draws(mixture) or _wrong_form(mixture, task.spec)
    except Exception as error:
        raise _failure_at(task.min_difficulty, name, task, error) from error


def _wrong_grid(name: str, task: Task) -> str | None:
    for difficulty in task.grid():
        try:
            if wrong := _wrong_form(task.at(difficulty), task.spec):
                return wrong
        except Exception as error:
            raise _failure_at(difficulty, name, task, error) from error
    return None


def _failure_at(difficulty: int, name: str, task: Task, error: Exception) -> Exception:
    """The failure of a form of the task that its author did not write, and what to set if there is no such form."""
    told = failure(f"{name} fails", type(task), error)
    made = f"it is made at {task.difficulty} {difficulty}"
    if difficulty == task.min_difficulty:
        return UserError(f"{told}; {made}, the easiest, too: set `min_difficulty: ClassVar[int]` if it cannot be")
    if difficulty > task.nominal:
        return UserError(f"{told}; {made} too, to be tested: set `max_difficulty: ClassVar[int]` if it cannot be")
    return UserError(f"{told}; {made} too, to be tested")


def _wrong_declaration(task: Task) -> str | None:
    spec = task.spec
    if bool(spec.vocabulary) == bool(spec.features):
        return f"has either tokens or features: vocabulary {spec.vocabulary} and features {spec.features} cannot be"
    if spec.outputs < 1 or spec.length < 1:
        return f"needs outputs and a length of at least 1, not {spec.outputs} and {spec.length}"
    return None


def _wrong_references(task: Task) -> str | None:
    """The score's references are numbers between 0 and 1, chance below perfect; those of the loss are numbers."""
    promised: dict[str, Any] = {"references()": task.references(), "loss_references()": task.loss_references()}
    for what, values in promised.items():
        if not isinstance(values, Mapping):
            return f"has {what} that give no dictionary, but {type(values).__name__}"
        for key, value in values.items():
            if not isinstance(value, int | float | np.number) or not isfinite(value):
                return f"has {what} whose {key!r} is no number, but {value!r}"
    references = task.references()
    if missing := [key for key in ("chance", "perfect") if key not in references]:
        return f"has references() without {missing[0]!r}, the score of {MEANING[missing[0]]}"
    if beyond := [key for key, value in references.items() if not -CLOSE <= value <= 1 + CLOSE]:
        return f"has references() whose {beyond[0]!r} is {references[beyond[0]]:g}; a score is between 0 and 1"
    if references["chance"] >= references["perfect"]:
        return f"has a chance of {references['chance']:g}, which is not below its perfect {references['perfect']:g}"
    return None


MEANING = {"chance": "who guesses", "perfect": "who knows all"}


def _wrong_draws(form: Task) -> str | None:
    """Equal streams give equal sequences, other streams others, and nothing else is drawn from."""
    before = _random_states()
    first, again, *others = (_drawn(form, seed) for seed in (0, 0, 1, 2, 3))
    if _random_states() != before:
        return "draws from a global random stream in sample(); it must draw from the rng that it is given alone"
    if not _equal(first, again):
        return "gives other sequences for an equal rng: sample() must draw from that rng alone"
    if all(_equal(first, other) for other in others):
        return "gives the same sequences whatever the rng: sample() ignores it"
    if not _equal(first, _drawn(form, 0)):
        return "gives other sequences at each call: sample() must depend on the rng and n alone"
    return None


def _drawn(task: Task, seed: int) -> Batch:
    return task.sample(np.random.default_rng(seed), SIZES[-1])


def _equal(a: Batch, b: Batch) -> bool:
    return all(x.shape == y.shape and torch.equal(x, y) for x, y in zip(a, b, strict=True))


def _random_states() -> tuple[Any, ...]:
    of_numpy = np.random.get_state(legacy=False)  # noqa: NPY002  # to see that nothing is drawn from it
    return random.getstate(), str(of_numpy), torch.get_rng_state().numpy().tobytes()


def _wrong_form(task: Task, spec: TaskSpec) -> str | None:
    """What is wrong with some batches of a task at some difficulty, or with their scores."""
    for n in SIZES:
        batch = task.sample(np.random.default_rng(n), n)
        checks: tuple[Callable[[], str | None], ...] = (
            lambda batch=batch, n=n: _wrong_mask(batch, n),  # type: ignore[misc]
            lambda batch=batch, n=n: _wrong_inputs(batch, n, spec),  # type: ignore[misc]
            lambda batch=batch, n=n: _wrong_targets(batch, n, spec),  # type: ignore[misc]
            lambda batch=batch: _wrong_scores(task, batch, spec),  # type: ignore[misc]
            lambda batch=batch: _wrong_text(task, batch),  # type: ignore[misc]
        )
        if wrong := next((text for check in checks if (text := check())), None):
            return f"{wrong} (n = {n}, {task.difficulty} {task.nominal})"
    return None


def _wrong_mask(batch: Batch, n: int) -> str | None:
    mask = batch.mask
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool or mask.dim() != 2:
        return f"gives a mask that is no bool tensor (n, T), but {_form(mask)}"
    if len(mask) != n:
        return f"gives {len(mask)} sequences where {n} are asked for"
    if not bool(mask.any(1).all()):
        return "gives a mask that selects no step of a sequence"
    if bool((mask[:, 1:] & ~mask[:, :-1]).any()):
        return "gives a mask with a step after padding: padding comes after a sequence"
    return None


def _wrong_inputs(batch: Batch, n: int, spec: TaskSpec) -> str | None:
    inputs, mask = batch.inputs, batch.mask
    shape = tuple(mask.shape) if spec.vocabulary else (*mask.shape, spec.features)
    dtype = torch.int64 if spec.vocabulary else torch.float32
    if not isinstance(inputs, Tensor) or tuple(inputs.shape) != shape or inputs.dtype != dtype:
        return f"gives inputs that are not {dtype} of shape {shape}, but {_form(inputs)}"
    if spec.vocabulary and not bool(((inputs >= 0) & (inputs < spec.vocabulary)).all()):
        return f"gives a token outside its vocabulary 0 to {spec.vocabulary - 1}"
    if not bool(inputs.isfinite().all()):
        return "gives inputs that are not finite"
    if bool((inputs[~mask] != 0).any()):
        return "gives padding that is not zero"
    return None


def _wrong_targets(batch: Batch, n: int, spec: TaskSpec) -> str | None:
    targets: Any = batch.targets
    if not isinstance(targets, Tensor):
        return f"gives targets that are no tensor, but {_form(targets)}"
    is_fitting = targets.shape == batch.mask.shape if spec.per_step else targets.dim() == (2 if spec.symbols else 1)
    if len(targets) != n or not is_fitting:
        wanted = "(n, T)" if spec.per_step else "(n, U)" if spec.symbols else "(n,)"
        return f"gives targets of shape {tuple(targets.shape)}, and not {wanted}"
    if targets.is_floating_point():
        return None if bool(targets.isfinite().all()) else "gives targets that are not finite"
    is_open = targets == IGNORED if spec.per_step or spec.symbols else torch.zeros_like(targets, dtype=torch.bool)
    if not bool((is_open | ((targets >= 0) & (targets < spec.outputs))).all()):
        return f"gives a target outside its classes 0 to {spec.outputs - 1}"
    if targets.dim() == 2 and bool(is_open.all(1).any()):
        return "gives a sequence without any target"
    return None


def _wrong_scores(task: Task, batch: Batch, spec: TaskSpec) -> str | None:
    """Scores lie between 0 and 1, losses are finite numbers; and the right answers are scored as perfect."""
    right = _right(batch, spec)
    shape = tuple(right.shape)
    for outputs in (right, torch.zeros(shape), torch.from_numpy(np.random.default_rng(0).standard_normal(shape, "f4"))):
        score, loss = task.score(outputs, batch), task.loss(outputs, batch)
        for what, value in (("score", score), ("loss", loss)):
            if not isinstance(value, Tensor) or value.dim():
                return f"has a {what} that is no scalar tensor, but {_form(value)}"
        if not -CLOSE <= float(score) <= 1 + CLOSE:
            return f"has a score of {float(score):g}; a score is between 0 and 1"
        if not bool(loss.isfinite()):
            return f"has a loss of {float(loss):g}"
    perfect = task.references()["perfect"]
    if (best := float(task.score(right, batch))) < perfect - CLOSE:
        return f"scores the right answers {best:g}, below its perfect {perfect:g}"
    return None


def _right(batch: Batch, spec: TaskSpec) -> Tensor:
    """The outputs of a model that knows the targets: one-hot classes, or the numbers themselves."""
    if batch.targets.is_floating_point():
        return batch.targets.unsqueeze(-1).expand(*batch.targets.shape, spec.outputs).clone()
    return 20 * one_hot(batch.targets.clamp(min=0), spec.outputs).float()


def _wrong_text(task: Task, batch: Batch) -> str | None:
    text = task.read(batch, 0)
    return None if isinstance(text, str) else f"has a read() that gives no text, but {type(text).__name__}"


def _form(value: Any) -> str:
    return f"{value.dtype} of shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
