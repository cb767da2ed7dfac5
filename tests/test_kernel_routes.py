"""Every way in which torch takes gradients through a kernel gives those of the eager backend."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from test_kernels import Everything, Values, draw
from torch import Tensor
from torch.func import grad, jacrev, vmap

from ablations.models.cells import CELLS
from ablations.models.eager import Weights, unroll
from ablations.models.kernels.sequence import compute_compiled

Scalar = Callable[..., Tensor]

# How a user may ask for the gradients of a function by its arguments; each is given the function and their values.
ROUTES: dict[str, Callable[[Scalar, list[Tensor]], Any]] = {
    "grad": lambda f, values: grad(f, _all(values))(*values),
    "grad without grad": lambda f, values: torch.no_grad()(grad(f, _all(values)))(*values),
    "jacrev": lambda f, values: jacrev(f, _all(values))(*values),
    "vmap of grad": lambda f, values: vmap(grad(f, _all(values)))(*_twice(values)),
    "vmap of vmap of grad": lambda f, values: vmap(vmap(grad(f, _all(values))))(*_twice(_twice(values))),
    "grad of vmap": lambda f, values: grad(lambda *many: vmap(f)(*many).sum(), _all(values))(*_twice(values)),
    "grad of grad": lambda f, values: grad(
        lambda *inner: sum(part.square().sum() for part in grad(f, _all(values))(*inner)), _all(values)
    )(*values),
}


def _all(values: list[Tensor]) -> tuple[int, ...]:
    return tuple(range(len(values)))


def _twice(values: list[Tensor]) -> list[Tensor]:
    return [torch.stack([value, 2 * value]) for value in values]


@pytest.mark.parametrize("cell", [CELLS["lstm-peepholes"], CELLS["gru"], Everything], ids=str)
@pytest.mark.parametrize("route", ROUTES)
def test_gradients_are_those_of_the_eager_backend_by_every_route(cell: Any, route: str) -> None:
    """By each argument alone and by all, while the others require a gradient too or do not."""
    torch.manual_seed(0)
    drawn, mask = draw(cell, (3, 4, 2, 5), torch.float64, masked=True)
    there = [index for index, value in enumerate(drawn) if value is not None]
    for others in (drawn, [None if value is None else value.detach() for value in drawn]):
        for chosen in (*[(index,) for index in there], tuple(there)):
            values = [drawn[index].detach() for index in chosen]  # type: ignore[union-attr]
            ours, expected = (
                ROUTES[route](_function(path, cell, mask, others, chosen), values)
                for path in (compute_compiled, unroll)
            )
            torch.testing.assert_close(ours, expected, rtol=1e-9, atol=1e-9)


def _function(path: Any, cell: Any, mask: Tensor | None, others: Values, chosen: tuple[int, ...]) -> Scalar:
    def compute(*values: Tensor) -> Tensor:
        together = [*others]
        for index, value in zip(chosen, values, strict=True):
            together[index] = value
        x, initial, *weights = together
        outputs, final = path(cell, x, mask, initial, Weights(*weights), False)
        return outputs.square().sum() + final.sum()

    return compute
