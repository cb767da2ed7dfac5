"""Optimisers on stacked parameters equal torch.optim, run by run."""

import pytest
import torch

from ablations.train.optimisers import OPTIMISERS, clip_by_norm

TORCH = {"adam": torch.optim.Adam, "rmsprop": torch.optim.RMSprop, "sgd": torch.optim.SGD}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_stacked_optimiser_equals_torch_optim_run_by_run(name: str) -> None:
    torch.manual_seed(0)
    rates, decays, limits = (0.1, 0.01, 0.003), (0.0, 0.1, 0.01), (0.5, 1.0, 100.0)
    stacked = torch.randn(3, 7)
    alone = [row.clone().requires_grad_() for row in stacked]
    theirs = [
        TORCH[name]([row], lr=lr, weight_decay=decay) for row, lr, decay in zip(alone, rates, decays, strict=True)
    ]
    moments: dict[str, torch.Tensor] = {}
    for step in range(20):
        gradient = torch.randn(3, 7)
        for row, own, optimiser, limit in zip(alone, gradient, theirs, limits, strict=True):
            row.grad = own.clone()
            torch.nn.utils.clip_grad_norm_([row], limit)
            optimiser.step()
        clipped = clip_by_norm(gradient, torch.tensor(limits)) + torch.tensor(decays).unsqueeze(1) * stacked
        stacked = stacked - torch.tensor(rates).unsqueeze(1) * OPTIMISERS[name](stacked, clipped, moments, step + 1)
    torch.testing.assert_close(stacked, torch.stack([row.detach() for row in alone]), rtol=1e-5, atol=1e-6)
