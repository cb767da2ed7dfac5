"""Each run of a cohort has random operations of its own, the same whoever trains beside it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from ablations.models import MODELS, Network
from ablations.models.network import last
from ablations.models.variant import Variant
from ablations.train.cohort import Cohort, TrainState
from ablations.train.segment import train_segment
from ablations.train.stacked import StackedNetworks
from ablations.train.training import Training
from tasks import TaskSpec

MakeCohort = Callable[..., Cohort]


def zoneout(x: Tensor) -> Tensor:
    return torch.where(torch.rand_like(x) < 0.5, x, 0.0)


def noisy(x: Tensor) -> Tensor:
    return x + 0.1 * torch.randn(x.shape[-1]) * torch.bernoulli(torch.full_like(x, 0.5))


NOISES = {"dropout": nn.Dropout(0.5), "zoneout": zoneout, "noisy": noisy}


class Noisy(Network):
    """Noise between two layers, in training only."""

    causal = True

    def __init__(self, spec: TaskSpec, size: int, how: str = "dropout") -> None:
        super().__init__(spec)
        self.first, self.head = nn.Linear(self.encoder.size, size), nn.Linear(size, spec.outputs)
        self.noise = NOISES[how]

    def forward_encoded(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = torch.tanh(self.first(last(x, mask)))
        return self.head(self.noise(x) if self.training else x)


@pytest.fixture(params=NOISES)
def noised(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, cohort: MakeCohort) -> Cohort:
    monkeypatch.setitem(MODELS, "noisy", Noisy)
    return cohort(0.1, 0.1, 0.1, task="adding", variant=Variant("noisy", "noisy", {"how": request.param}), size=40)


def test_a_run_draws_in_a_cohort_what_it_draws_alone(noised: Cohort) -> None:
    start = StackedNetworks(noised).initial
    together, _ = train_segment(noised, None, 6)
    for index in range(3):
        alone, _ = train_segment(noised.only([index]), TrainState(start[[index]]), 6)
        torch.testing.assert_close(alone.theta[0], together.theta[index], rtol=0, atol=1e-4)


def test_every_run_and_every_step_has_noise_of_its_own(noised: Cohort) -> None:
    training = Training(noised)
    seeds = {training._seed(run, step) for run in range(3) for step in range(5)}
    assert len(seeds) == 15


def test_segments_with_noise_add_up(noised: Cohort) -> None:
    whole, _ = train_segment(noised, None, 8)
    half, _ = train_segment(noised, None, 4)
    rest, _ = train_segment(noised, half, 4)
    assert torch.equal(whole.theta, rest.theta)


def test_noise_changes_training_and_leaves_torchs_own_stream_alone(noised: Cohort) -> None:
    before = torch.get_rng_state()
    state, _ = train_segment(noised, None, 4)
    assert torch.equal(torch.get_rng_state(), before)
    plain = noised.setting.variant
    silent = Variant(plain.name, plain.model, {"how": "silent"})
    NOISES["silent"] = nn.Identity()
    try:
        other, _ = train_segment(_of(noised, silent), None, 4)
    finally:
        del NOISES["silent"]
    assert not torch.allclose(state.theta, other.theta)


def _of(cohort: Cohort, variant: Variant) -> Cohort:
    return replace(cohort, setting=replace(cohort.setting, variant=variant))
