"""Each run of a cohort has buffers of its own, as it would have alone."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ablations.models import MODELS, Network
from ablations.models.network import last
from ablations.models.variant import Variant
from ablations.study.seeds import integer
from ablations.train.batches import training_batches
from ablations.train.cohort import Cohort
from ablations.train.evaluation import evaluate_test
from ablations.train.segment import train_segment
from tasks import Batch, TaskSpec

MakeCohort = Callable[..., Cohort]
CLOSE = {"rtol": 0.0, "atol": 1e-4}
"""Adam turns the rounding of a gradient near zero into a visible step."""


class Buffered(Network):
    """Features by a random matrix that is a buffer, centred by a running mean that training keeps."""

    causal = True

    def __init__(self, spec: TaskSpec, size: int, how: str = "in place") -> None:
        super().__init__(spec)
        self.how = how
        self.register_buffer("projection", torch.randn(self.encoder.size, size), persistent=False)
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("calls", torch.tensor(0))
        self.norm = nn.BatchNorm1d(size) if how == "batch norm" else nn.Identity()
        self.head = nn.Linear(size, spec.outputs)

    def forward_encoded(self, x: Tensor, mask: Tensor | None) -> Tensor:
        features = torch.tanh(last(x, mask) @ self.projection)
        if self.training and self.how == "in place":
            self.calls += 1
            self.mean.mul_(0.9).add_(features.detach().mean(0), alpha=0.1)
        elif self.training and self.how == "assigned":
            self.calls = self.calls + 1
            self.mean = 0.9 * self.mean + 0.1 * features.mean(0)
        return self.head(self.norm(features - self.mean.detach()))


@pytest.fixture(params=["in place", "assigned", "batch norm"])
def buffered(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, cohort: MakeCohort) -> Cohort:
    monkeypatch.setitem(MODELS, "buffered", Buffered)
    return cohort(0.1, 0.2, 0.3, task="adding", variant=Variant("buffered", "buffered", {"how": request.param}))


def alone(cohort: Cohort, index: int, steps: int) -> dict[str, Tensor]:
    """The parameters and buffers after a plain training loop of one run."""
    run, setting = cohort.runs[index], cohort.setting
    network = setting.variant.build(
        setting.task.spec, setting.size, integer(cohort.seed, setting.name, *run.stream, "start")
    ).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=run.lr)
    stream = [lambda chunk: cohort.generator(run, "train", chunk)]
    for step, stacked in enumerate(training_batches(setting.task, stream, 0, steps, cohort.budget.batch)):
        optimiser.param_groups[0]["lr"] = run.lr * (1 - step / cohort.budget.steps)
        batch = Batch(*(part[0] for part in stacked))
        optimiser.zero_grad()
        setting.task.loss(network(batch.inputs, batch.mask), batch).backward()
        nn.utils.clip_grad_norm_(network.parameters(), run.clip)
        optimiser.step()
        network.mean = network.mean.detach()
    theta = torch.cat([parameter.detach().flatten() for parameter in network.parameters()])
    return {"theta": theta, **dict(network.named_buffers())}


def test_a_run_in_a_cohort_has_the_buffers_that_it_has_alone(buffered: Cohort) -> None:
    state, _ = train_segment(buffered, None, 4)
    assert len({tuple(row) for row in state.buffers["projection"].flatten(1).tolist()}) == 3
    for index in range(3):
        expected = alone(buffered, index, 4)
        torch.testing.assert_close(state.theta[index], expected.pop("theta"), **CLOSE)
        assert state.buffers.keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(state.buffers[name][index], value, **CLOSE)


def test_segments_add_up_and_leave_their_state_as_it_is(buffered: Cohort) -> None:
    whole, _ = train_segment(buffered, None, 8)
    half, _ = train_segment(buffered, None, 4)
    before = {name: buffer.clone() for name, buffer in half.buffers.items()}
    rest, _ = train_segment(buffered, half, 4)
    assert all(torch.equal(half.buffers[name], before[name]) for name in before)
    assert all(torch.equal(rest.buffers[name], whole.buffers[name]) for name in before)
    assert torch.equal(rest.theta, whole.theta)


def test_an_evaluation_changes_no_buffer_and_is_that_of_the_run_alone(buffered: Cohort) -> None:
    state, _ = train_segment(buffered, None, 4)
    before = {name: buffer.clone() for name, buffer in state.buffers.items()}
    together = evaluate_test(buffered, state)
    assert all(torch.equal(state.buffers[name], before[name]) for name in before)
    for index in range(3):
        (one,) = evaluate_test(buffered.only([index]), state.rows([index]))
        for name, curve in together[index].curves.items():
            torch.testing.assert_close(curve, one.curves[name], rtol=1e-4, atol=1e-6)


def test_rows_of_a_state_carry_their_buffers(buffered: Cohort) -> None:
    state, _ = train_segment(buffered, None, 4)
    part, _ = train_segment(buffered.only([0, 2]), state.rows([0, 2]), 4)
    put: Any = state.updated([0, 2], part)
    for name, buffer in put.buffers.items():
        assert torch.equal(buffer[[0, 2]], part.buffers[name])
        assert torch.equal(buffer[1], state.buffers[name][1])
