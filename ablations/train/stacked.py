"""The networks of a cohort as one module with stacked parameters and buffers.

R runs, P trained parameters of each, n sequences of each run, T steps.
"""

from collections.abc import Callable, Mapping
from functools import partial
from operator import itemgetter
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.utils._pytree import tree_map

from ablations.models import Network
from ablations.study.seeds import integer
from ablations.train.cohort import Buffers, Cohort
from ablations.train.noise import single_run
from ablations.train.stackability import is_stackable
from ablations.train.stacked_functions import StackedFunctions
from tasks import Batch

Result = TypeVar("Result")


class StackedNetworks:
    """The networks of a cohort as one: a structure to call, and the runs' parameters and buffers at their start.

    initial (R, P): the trained parameters, one row for each run. initial_buffers: name -> (R, …). frozen: name -> (R, …),
    the parameters that are not trained. Networks that are not `is_stackable` run one after the other.
    """

    def __init__(self, cohort: Cohort) -> None:
        setting = cohort.setting
        self.task = setting.task
        self.is_stackable = is_stackable(setting.variant, setting.task.spec, setting.size)
        seeds = [integer(cohort.seed, setting.name, *run.stream, "start") for run in cohort.runs]
        starts = list(zip(map(cohort.variant, cohort.runs), seeds, strict=True))
        by_start = {start: start[0].build(setting.task.spec, setting.size, start[1]) for start in set(starts)}
        networks = [by_start[start] for start in starts]
        self.model: Network = networks[0]
        trained = {name: p.shape for name, p in self.model.named_parameters() if p.requires_grad}
        self.shapes: Mapping[str, torch.Size] = trained
        self.frozen = {
            name: torch.stack([network.get_parameter(name).detach() for network in networks])
            for name, p in self.model.named_parameters()
            if not p.requires_grad
        }
        rows = [[network.get_parameter(name).detach().flatten() for name in trained] for network in networks]
        self.initial = torch.stack([torch.cat(row) for row in rows])
        self.initial_buffers: Buffers = {
            name: torch.stack([network.get_buffer(name).detach() for network in networks])
            for name, _ in self.model.named_buffers()
        }

    def parameters(self, theta: Tensor) -> dict[str, Tensor]:
        """Rows theta (R, P) as stacked parameters by name, the frozen ones included."""
        parts = theta.split([shape.numel() for shape in self.shapes.values()], dim=1)
        named = zip(self.shapes.items(), parts, strict=True)
        return {name: part.unflatten(1, shape) if shape else part for (name, shape), part in named} | self.frozen

    def outputs(self, theta: Tensor, buffers: Buffers, batch: Batch, has_padding: bool) -> tuple[Tensor, Buffers]:
        """Every run's network in training on its own part of a batch: outputs (R, n, …), and the buffers then.

        `buffers` stay as they are. Where answers are written, a network is told the right symbols before each.
        """
        self.model.train()
        return self._mapped(self._call, theta, buffers, batch, has_padding, self.model.told(batch.targets))

    def answers(self, theta: Tensor, buffers: Buffers, batch: Batch) -> Tensor:
        """Every run's network in evaluation: outputs (R, n, …). Written answers are those that it writes by itself."""
        self.model.eval()
        call = self._call if self.model.decoder is None else partial(self._call, steps=batch.targets.shape[-1])
        outputs, _ = self._mapped(call, theta, buffers, batch, is_padded(batch), {})
        return outputs

    def with_run(self, theta: Tensor, buffers: Buffers, index: int, function: Callable[[Network], Result]) -> Result:
        """What a function of a network returns for that of one run, in evaluation."""
        tensors = {**self.parameters(theta), **buffers}
        own = {f"model.{name}": tensor[index] for name, tensor in tensors.items()}
        value: Result = functional_call(_Applied(self.model.eval(), function), own, ())
        return value

    def _mapped(
        self,
        call: Callable[..., tuple[Tensor, Buffers]],
        theta: Tensor,
        buffers: Buffers,
        batch: Batch,
        has_padding: bool,
        told: dict[str, Tensor],
    ) -> tuple[Tensor, Buffers]:
        arguments = (batch.inputs, batch.mask) if has_padding else (batch.inputs,)
        own = {name: buffer.clone() for name, buffer in buffers.items()}
        stacked = self.parameters(theta), own, arguments, told
        if self.is_stackable:
            with StackedFunctions():
                outputs, changed = vmap(call, randomness="different")(*stacked)
        else:
            outputs, changed = _one_by_one(call, len(theta), stacked)
        return outputs, {name: buffer.detach() for name, buffer in changed.items()}

    def losses(self, outputs: Tensor, batch: Batch) -> Tensor:
        """The task's loss of every run (R,)."""
        with StackedFunctions():
            return vmap(self.task.loss)(outputs, batch)

    def scores(self, outputs: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The task's score of every run, and its further scores, by name: each (R,)."""
        return vmap(lambda *run: {"score": self.task.score(*run), **self.task.further_scores(*run)})(outputs, batch)

    def _call(
        self,
        parameters: dict[str, Tensor],
        buffers: Buffers,
        arguments: tuple[Tensor, ...],
        told: dict[str, Tensor],
        **options: int,
    ) -> tuple[Tensor, Buffers]:
        """One run's network. A buffer changes in place or is assigned anew; `functional_call` puts both into its dict."""
        tensors = {**parameters, **buffers}
        outputs = functional_call(self.model, tensors, arguments, {**told, **options})
        return outputs, {name: tensors[name] for name in buffers}


class _Applied(nn.Module):
    """A function of a model as a module without arguments: `functional_call` calls a module."""

    def __init__(self, model: Network, function: Callable[[Network], Any]) -> None:
        super().__init__()
        self.model, self.function = model, function

    def forward(self) -> Any:
        return self.function(self.model)


def _one_by_one(call: Callable[..., tuple[Tensor, Buffers]], runs: int, stacked: Any) -> tuple[Tensor, Buffers]:
    """What `vmap` computes, by a call for each run with its own parts of the stacked tensors."""
    results = []
    for run in range(runs):
        with single_run(run):
            results.append(call(*tree_map(itemgetter(run), stacked)))
    outputs, changed = zip(*results, strict=True)
    return torch.stack(outputs), {name: torch.stack([own[name] for own in changed]) for name in changed[0]}


def is_padded(batch: Batch) -> bool:
    """Whether some sequence of a batch is shorter than its longest."""
    return not bool(batch.mask.all())
