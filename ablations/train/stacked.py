"""The networks of a cohort as one module with stacked parameters and buffers.

R runs, P trained parameters of each, n sequences of each run, T steps.
"""

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor
from torch.func import functional_call, vmap

from ablations.models import Network
from ablations.study.seeds import integer
from ablations.train.cohort import Buffers, Cohort
from ablations.train.stacked_functions import StackedFunctions
from tasks import Batch


class StackedNetworks:
    """The networks of a cohort as one: a structure to call, and the runs' parameters and buffers at their start.

    initial (R, P): the trained parameters, one row for each run. initial_buffers: name -> (R, …). frozen: name -> (R, …),
    the parameters that are not trained.
    """

    def __init__(self, cohort: Cohort) -> None:
        setting = cohort.setting
        self.task = setting.task
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
        with StackedFunctions():
            outputs, changed = vmap(call, randomness="different")(self.parameters(theta), own, arguments, told)
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


def is_padded(batch: Batch) -> bool:
    """Whether some sequence of a batch is shorter than its longest."""
    return not bool(batch.mask.all())
