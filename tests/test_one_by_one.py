"""Networks that vmap cannot run are trained run by run, with the same numbers as each would have alone."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from builders.small_study import Memory, carry_out, recorded
from torch import Tensor, nn

from ablations.models import MODELS, Network
from ablations.models.variant import Variant
from ablations.study import Study
from ablations.study.seeds import integer
from ablations.train.batches import training_batches
from ablations.train.cohort import Cohort
from ablations.train.evaluation import count_flops, evaluate_test
from ablations.train.segment import train_segment
from ablations.train.stackability import is_stackable
from tasks import TASKS, Batch, TaskSpec

MakeCohort = Callable[..., Cohort]


class OfTorch(Network):
    """A recurrent layer of torch.nn, or a branch on what is in a tensor; with dropout if it is asked for."""

    causal = True

    def __init__(self, spec: TaskSpec, size: int, how: str = "LSTM", dropout: float = 0.0) -> None:
        super().__init__(spec)
        self.how = how
        if how == "branch":
            self.layer: nn.Module = nn.Linear(self.encoder.size, size)
        else:
            self.layer = getattr(nn, how)(self.encoder.size, size, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(size, spec.outputs)

    def forward_encoded(self, x: Tensor, mask: Tensor | None) -> Tensor:
        if self.how == "branch":
            states = torch.tanh(self.layer(x))
            states = states if x.sum().item() > 0 else -states
        else:
            states, _ = self.layer(x)
        steps = torch.arange(x.shape[1]) if mask is None else mask.cumsum(1)
        final = states.gather(1, steps.argmax(-1).expand(len(x)).view(-1, 1, 1).expand(-1, 1, states.shape[-1]))
        return self.head(self.dropout(final.squeeze(1)))


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODELS, "of-torch", OfTorch)


def of(cohort: MakeCohort, **flags: Any) -> Cohort:
    return cohort(0.1, 0.2, 0.05, task="adding", variant=Variant("of-torch", "of-torch", flags), size=7)


def alone(cohort: Cohort, index: int, steps: int) -> Tensor:
    """The parameters after a plain training loop of one run."""
    run, setting = cohort.runs[index], cohort.setting
    seed = integer(cohort.seed, setting.name, *run.stream, "start")
    network = setting.variant.build(setting.task.spec, setting.size, seed).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=run.lr)
    stream = [lambda chunk: cohort.generator(run, "train", chunk)]
    for step, stacked in enumerate(training_batches(setting.task, stream, 0, steps, cohort.budget.batch)):
        optimiser.param_groups[0]["lr"] = run.lr * (1 - step / cohort.budget.steps)
        batch = Batch(*(part[0] for part in stacked))
        optimiser.zero_grad()
        setting.task.loss(network(batch.inputs, batch.mask), batch).backward()
        nn.utils.clip_grad_norm_(network.parameters(), run.clip)
        optimiser.step()
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


@pytest.mark.parametrize("how", ["LSTM", "GRU", "RNN", "branch"])
def test_a_run_of_a_network_that_cannot_be_stacked_is_the_run_alone(how: str, cohort: MakeCohort) -> None:
    ours = of(cohort, how=how)
    assert not is_stackable(ours.setting.variant, ours.setting.task.spec, 7)
    state, _ = train_segment(ours, None, 4)
    for index in range(3):
        torch.testing.assert_close(state.theta[index], alone(ours, index, 4), rtol=0, atol=1e-4)
    assert len(evaluate_test(ours, state)) == 3


def test_what_a_run_draws_does_not_depend_on_its_cohort(cohort: MakeCohort) -> None:
    ours = of(cohort, dropout=0.5)
    together, _ = train_segment(ours, None, 4)
    without, _ = train_segment(of(cohort), None, 4)
    assert not torch.allclose(together.theta, without.theta)
    for index in range(3):
        one, _ = train_segment(ours.only([index]), None, 4)
        torch.testing.assert_close(one.theta[0], together.theta[index], rtol=0, atol=1e-4)


def test_networks_that_vmap_can_run_are_stacked(cohort: MakeCohort) -> None:
    class Plain(OfTorch):
        def forward_encoded(self, x: Tensor, mask: Tensor | None) -> Tensor:
            return self.head(self.dropout(torch.tanh(self.layer(x)).sum(1)))

    MODELS["of-torch"] = Plain  # `registered` takes it out again
    setting = of(cohort, how="branch", dropout=0.1).setting
    assert is_stackable(replace(setting.variant, name="plain"), setting.task.spec, 7)


def test_the_operations_of_torchs_own_layers_are_counted(cohort: MakeCohort) -> None:
    ours = of(cohort)
    D, H = ours.setting.task.spec.features, 7
    steps = ours.setting.task.nominal
    assert count_flops(ours) >= 3 * 2 * steps * 4 * H * (D + H) * 0.8


def test_the_record_says_which_runs_were_trained_one_by_one(study: Study, changed: Any, tmp_path: Path) -> None:
    own = Variant("of-torch", "of-torch")
    task = {"adding": TASKS["adding"](length=4)}
    scale = replace(study.scales["smoke"], tasks=task)
    ours = changed(study, variants=(*study.variants[1:], own), scales={"smoke": scale})
    memory = Memory(tmp_path)
    assert carry_out(ours, memory).failures == 0
    record = recorded(ours, memory)
    names = {setting.identity: setting.variant for setting in record.settings}
    said = {(names[run.setting], run.factors.get("trained")) for run in (*record.trials, *record.replicates)}
    assert said == {("of-torch", "one by one"), ("lstm", None)}
