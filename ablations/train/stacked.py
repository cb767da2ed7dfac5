"""The networks of a cohort as one module with stacked parameters and buffers.

R runs, P trained parameters of each, n sequences of each run, T steps.
"""

from collections.abc import Mapping

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
        by_seed = {seed: setting.variant.build(setting.task.spec, setting.size, seed) for seed in set(seeds)}
        networks = [by_seed[seed] for seed in seeds]
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

    def outputs(
        self, theta: Tensor, buffers: Buffers, inputs: Tensor, mask: Tensor | None, training: bool
    ) -> tuple[Tensor, Buffers]:
        """Every run's network on its own inputs (R, n, T, …), mask (R, n, T): outputs (R, n, …), and the buffers then.

        The networks are in training mode or not, as torch.nn.Module says. `buffers` stay as they are. The mask may be
        None where nothing is padded.
        """
        self.model.train(training)
        arguments = (inputs,) if mask is None else (inputs, mask)
        own = {name: buffer.clone() for name, buffer in buffers.items()}
        with StackedFunctions():
            outputs, changed = vmap(self._call, randomness="different")(self.parameters(theta), own, arguments)
        return outputs, {name: buffer.detach() for name, buffer in changed.items()}

    def losses(self, outputs: Tensor, batch: Batch) -> Tensor:
        """The task's loss of every run (R,)."""
        with StackedFunctions():
            return vmap(self.task.loss)(outputs, batch)

    def scores(self, outputs: Tensor, batch: Batch) -> Tensor:
        """The task's score of every run (R,)."""
        return vmap(self.task.score)(outputs, batch)

    def _call(
        self, parameters: dict[str, Tensor], buffers: Buffers, arguments: tuple[Tensor, ...]
    ) -> tuple[Tensor, Buffers]:
        """One run's network. A buffer changes in place or is assigned anew; `functional_call` puts both into its dict."""
        tensors = {**parameters, **buffers}
        outputs = functional_call(self.model, tensors, arguments)
        return outputs, {name: tensors[name] for name in buffers}


def padding_mask(batch: Batch) -> Tensor | None:
    """The mask of a batch, or None where nothing is padded."""
    return None if bool(batch.mask.all()) else batch.mask
