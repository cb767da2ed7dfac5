"""The networks of a cohort as one module with stacked parameters."""

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor
from torch.func import functional_call, vmap

from ablations.models import Network
from ablations.study.seeds import integer
from ablations.train.cohort import Cohort
from tasks import Batch


class StackedNetworks:
    """The networks of a cohort as one: a structure to call, and the runs' parameters as rows."""

    def __init__(self, cohort: Cohort) -> None:
        setting = cohort.setting
        seeds = [integer(cohort.seed, setting.name, *run.stream, "start") for run in cohort.runs]
        built = {seed: setting.variant.build(setting.task.spec, setting.size, seed) for seed in set(seeds)}
        networks = [built[seed] for seed in seeds]
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

    def parameters(self, theta: Tensor) -> dict[str, Tensor]:
        """Rows theta (R, P) as stacked parameters by name, the frozen ones included."""
        parts = theta.split([shape.numel() for shape in self.shapes.values()], dim=1)
        named = zip(self.shapes.items(), parts, strict=True)
        return {name: part.unflatten(1, shape) if shape else part for (name, shape), part in named} | self.frozen

    def outputs(self, theta: Tensor, batch: Batch) -> Tensor:
        """Every run's network on its own part of a stacked batch: (R, n, …)."""
        arguments = (batch.inputs,) if bool(batch.mask.all()) else (batch.inputs, batch.mask)
        return vmap(partial(functional_call, self.model))(self.parameters(theta), arguments)
