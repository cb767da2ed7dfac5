"""What a trained network does inside: its answer as a sentence comes in, and its gates and memory over one sequence.

The sequences are the same for every run and variant of a task. R runs, n sequences, T steps, K classes, H units.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ablations.models import Network
from ablations.study.seeds import generator
from ablations.train.batches import stack
from ablations.train.cohort import Cohort, TrainState
from ablations.train.stacked import StackedNetworks
from tasks import Batch, Task
from tasks.task import MinimalPair

STEPS = 64
"""The most steps of the sequence over which gates are recorded: so its record has a few kB."""
UNITS = 16
"""The most units whose memory is recorded one by one: those that change most."""
TAIL = 0.1
"""The share of units that lie below the lower, and above the upper, of the lines around a mean over units."""
DIGITS, UNIT_DIGITS = 3, 2


@torch.no_grad()
def mechanisms_of(cohort: Cohort, networks: StackedNetworks, state: TrainState) -> list[dict[str, Any]]:
    """The mechanisms of each run under the names of the record, without attention: `reading` and `memory`, where there are.

    reading: `steps`, the words of two sequences; `asked`, the step that is answered; `answers` and `classes`, their names;
        `probabilities` of the classes that the network gives at that step, shown each sequence up to each step from there
        on; `known`, those of a reader who knows the task.
    memory: `steps` and `roles` of one sequence; `quantities`, for each that the equations of the first layer name the
        `mean` over units at each step and `low` and `high`, between which 80 % of them are; `state`, the name of its memory,
        and `units`, some of that memory's units at each step.
    """
    readings, memories = _readings(cohort, networks, state), _memories(cohort, networks, state)
    names = ("reading", "memory")
    return [
        {name: each for name, each in zip(names, both, strict=True) if each}
        for both in zip(readings, memories, strict=True)
    ]


def _readings(cohort: Cohort, networks: StackedNetworks, state: TrainState) -> list[dict[str, Any]]:
    task = cohort.setting.task.at(cohort.setting.task.nominal)
    pair = task.minimal_pair()
    if pair is None:
        return [{} for _ in cohort.runs]
    shown = prefixes(pair)
    outputs = networks.answers(state.theta, state.buffers, stack([shown] * len(cohort.runs)))
    asked = outputs[:, :, pair.asked].softmax(-1)  # (R, n, K)
    lengths = (pair.batch.mask.sum(1) - pair.asked).tolist()
    known = [rows[pair.asked :][:length] for rows, length in zip(pair.known, lengths, strict=True)]
    common = {
        "steps": [[step.text for step in task.read_steps(pair.batch, index)] for index in range(2)],
        "asked": pair.asked,
        "answers": [pair.classes[target] for target in pair.batch.targets[:, pair.asked].tolist()],
        "classes": list(pair.classes),
        "known": _rounded(known, DIGITS),
    }
    return [{**common, "probabilities": _rounded(own.split(lengths), DIGITS)} for own in asked]


def prefixes(pair: MinimalPair) -> Batch:
    """Each of the two sequences up to each step from the one that is asked on, one after another: all else is hidden."""
    rows = [_up_to(pair.batch, index, end) for index in range(2) for end in _ends(pair, index)]
    return Batch(*(torch.stack(part) for part in zip(*rows, strict=True)))


def _ends(pair: MinimalPair, index: int) -> Iterator[int]:
    yield from range(pair.asked + 1, int(pair.batch.mask[index].sum()) + 1)


def _up_to(batch: Batch, index: int, end: int) -> tuple[Tensor, Tensor, Tensor]:
    mask = torch.arange(batch.mask.shape[1]) < end
    return torch.where(mask, batch.inputs[index], 0), batch.targets[index], mask


def _memories(cohort: Cohort, networks: StackedNetworks, state: TrainState) -> list[dict[str, Any]]:
    batch = _sequence(cohort) if first_layer(networks.model) else None
    if batch is None:
        return [{} for _ in cohort.runs]
    steps = cohort.setting.task.read_steps(batch, 0)
    common = {"steps": [step.text for step in steps], "roles": [step.role for step in steps]}
    return [
        {**common, **networks.with_run(state.theta, state.buffers, index, lambda model: _memory(model, batch.inputs))}
        for index in range(len(cohort.runs))
    ]


def first_layer(model: Network) -> Any:
    """Its first layer, in the direction that it has first; None where that is not recurrent, as far as can be seen.

    A recurrent layer tells its quantities. Its class is not named here, so that no other network's numbers depend on its code.
    """
    recurrent = getattr(model, "recurrent", None)
    parts = recurrent.modules() if isinstance(recurrent, nn.Module) else ()
    layer: Any = next((part for part in parts if hasattr(part, "quantities")), None)
    return layer if layer and layer.weight.shape[1] == model.encoder.size else None


def _sequence(cohort: Cohort) -> Batch | None:
    """A sequence of the hardest form, up to the nominal one, that has at most `STEPS` steps; None where each has more."""
    task: Task = cohort.setting.task
    rng = generator(cohort.seed, cohort.setting.label, "mechanisms")
    for difficulty in sorted((d for d in task.grid() if d <= task.nominal), reverse=True):
        batch = task.at(difficulty).sample(rng, 1)
        if batch.mask.sum() <= STEPS:
            length = int(batch.mask.sum())
            return Batch(batch.inputs[:, :length], batch.targets, batch.mask[:, :length])
    return None


def _memory(model: Network, inputs: Tensor) -> dict[str, Any]:
    """The quantities of its first layer over one sequence (1, T) or (1, T, D)."""
    layer = first_layer(model)
    assert layer is not None
    quantities = {name: each[0] for name, each in layer.quantities(model.encoder(inputs)).items()}  # (T, H)
    name = layer.cell.state[min(1, len(layer.cell.state) - 1)]  # h alone, or what stands beside it, as c does
    memory = quantities[name]
    busiest = memory.var(0, correction=0).topk(min(UNITS, memory.shape[1])).indices.sort().values
    return {
        "quantities": {name: _over_units(each) for name, each in quantities.items()},
        "state": name,
        "units": _rounded(memory[:, busiest].T, UNIT_DIGITS),
    }


def _over_units(values: Tensor) -> dict[str, list[float]]:
    """The mean of values (T, H) over units, and two of their quantiles."""
    low, high = values.quantile(torch.tensor([TAIL, 1 - TAIL]), dim=1)
    return {
        name: _rounded(each, UNIT_DIGITS) for name, each in {"mean": values.mean(1), "low": low, "high": high}.items()
    }


def _rounded(values: Any, digits: int) -> Any:
    """Tensors, or lists of such, as lists of short numbers."""
    if isinstance(values, Tensor):
        return _rounded(values.tolist(), digits)
    return round(values, digits) if isinstance(values, float) else [_rounded(each, digits) for each in values]
