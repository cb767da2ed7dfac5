"""Optimisers on stacked parameters equal torch.optim, run by run."""

import pytest
import torch

from ablations.train.optimisers import OPTIMISERS, update

TORCH = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
    "sgd": torch.optim.SGD,
}


@pytest.mark.parametrize("is_compiled", [True, False])
@pytest.mark.parametrize("size", [7, 16, 50])
@pytest.mark.parametrize("name", OPTIMISERS)
def test_stacked_optimiser_equals_torch_optim_run_by_run(
    name: str, size: int, is_compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ablations.train.optimisers.has_compiler", lambda: is_compiled)
    rates, decays, limits = (0.1, 0.01, 0.003), (0.0, 0.1, 0.01), (0.5, 1.0, 100.0)
    stacked = torch.randn(3, size)
    alone = [row.clone().requires_grad_() for row in stacked]
    theirs = [
        TORCH[name]([row], lr=lr, weight_decay=decay) for row, lr, decay in zip(alone, rates, decays, strict=True)
    ]
    moments: dict[str, torch.Tensor] = {}
    for step in range(20):
        gradient = torch.randn(3, size)
        for row, own, optimiser, limit in zip(alone, gradient, theirs, limits, strict=True):
            row.grad = own.clone()
            torch.nn.utils.clip_grad_norm_([row], limit)
            optimiser.step()
        lr, limit, decay = map(torch.tensor, (rates, limits, decays))
        update(name, stacked, gradient, moments, step + 1, lr, limit, decay)
    torch.testing.assert_close(stacked, torch.stack([row.detach() for row in alone]), rtol=1e-5, atol=1e-6)
