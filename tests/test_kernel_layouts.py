"""A kernel computes the same whatever lies between the numbers that it is given, and whatever its cell's names are."""

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_kernels import Everything, Values, draw, run
from torch import Tensor
from torch.func import vmap

from ablations.models.cell import Cell, Functions
from ablations.models.cells import CELLS
from ablations.models.kernels.sequence import compute_compiled
from ablations.models.recurrent import Recurrence
from ablations.models.unrolled import Weights, unroll

Layout = Callable[[Tensor], Tensor]
each_cell = pytest.mark.parametrize("cell", [*CELLS.values(), Everything], ids=str)


def permuted(order: int) -> Layout:
    """Equal values, the dimensions in another order in memory."""

    def change(tensor: Tensor) -> Tensor:
        dims = list(range(tensor.dim()))
        order_ = [dims.pop(order % len(dims) if dims else 0) for _ in range(tensor.dim())]
        return tensor.permute(order_).contiguous().permute([order_.index(dim) for dim in range(tensor.dim())])

    return change


def sliced(step: int) -> Layout:
    """Equal values, every so manieth number of a larger tensor, and not from its beginning."""

    def change(tensor: Tensor) -> Tensor:
        whole = torch.full([step * size + 1 for size in tensor.shape], 7, dtype=tensor.dtype)
        part = whole[tuple(slice(1, None, step) for _ in tensor.shape)]
        return part.copy_(tensor)

    return change


def expanded(dim: int) -> Layout:
    """The first entry of a dimension in place of all others, once in memory."""

    def change(tensor: Tensor) -> Tensor:
        at = dim % tensor.dim()
        return tensor.narrow(at, 0, 1).expand(tensor.shape)

    return change


def negated(_: int) -> Layout:
    """Equal values that are kept as their negatives, as the imaginary part of a conjugate is."""
    return lambda tensor: tensor if tensor.dtype == torch.bool else torch._neg_view(-tensor)


layouts = st.one_of(*[st.builds(kind, st.integers(1, 5)) for kind in (permuted, sliced, expanded, negated)])


def assert_equal_paths(cell: type[Cell], values: Values, mask: Tensor | None, reverse: bool) -> None:
    ours, expected = (run(path, cell, values, mask, reverse) for path in (compute_compiled, unroll))
    for mine, other in zip(ours, expected, strict=True):
        scale = max(1.0, float(other.abs().max()))
        torch.testing.assert_close(mine / scale, other / scale, rtol=0, atol=1e-5)


@each_cell
@given(st.lists(layouts, min_size=9, max_size=9), st.booleans(), st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_any_layout_of_any_argument_gives_what_the_reference_path_gives(
    cell: type[Cell], chosen: list[Layout], reverse: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    values, mask = draw(cell, (3, 4, 2, 5), torch.float32, masked=True)
    assert mask is not None
    laid: Values = [
        None if value is None else layout(value.detach()).requires_grad_()
        for layout, value in zip(chosen[1:], values, strict=True)
    ]
    assert_equal_paths(cell, laid, chosen[0](mask), reverse)


@each_cell
@given(st.lists(st.integers(0, 5), min_size=9, max_size=9), st.integers(0, 2**31))
@settings(max_examples=10, deadline=None)
def test_runs_stacked_along_any_dimension_are_the_runs_alone(cell: type[Cell], dims: list[int], seed: int) -> None:
    torch.manual_seed(seed)
    drawn = [draw(cell, (3, 4, 2, 5), torch.float32, masked=True) for _ in range(2)]
    runs = [[mask, *values] for values, mask in drawn]
    places = [None if part is None else dim % (part.dim() + 1) for dim, part in zip(dims, runs[0], strict=True)]
    stacked = [
        None if place is None else torch.stack([run[index].detach() for run in runs], place)
        for index, place in enumerate(places)
    ]

    def compute(mask: Tensor, x: Tensor, initial: Tensor, *weights: Any) -> tuple[Tensor, Tensor]:
        return compute_compiled(cell, x, mask, initial, Weights(*weights), reverse=False)

    together = vmap(compute, in_dims=tuple(places))(*stacked)
    for index, (mask, x, initial, *weights) in enumerate(runs):
        alone = unroll(cell, x, mask, initial, Weights(*weights))
        for mine, other in zip(together, alone, strict=True):
            torch.testing.assert_close(mine[index], other.detach(), rtol=1e-5, atol=1e-5)


def test_layers_take_what_others_make_of_their_input() -> None:
    """A transposed batch, and what an embedding or a convolution leaves behind."""
    torch.manual_seed(0)
    layer = Recurrence("lstm", 3, 4)
    embedding, convolution = torch.nn.Embedding(7, 3), torch.nn.Conv1d(3, 3, 1)
    steps_first = torch.randn(5, 2, 3)
    for read in (
        lambda: steps_first.transpose(0, 1),
        lambda: embedding(torch.arange(10).view(5, 2) % 7).transpose(0, 1),
        lambda: convolution(steps_first.permute(1, 2, 0)).mT,
    ):
        gradients = []
        for x in (read(), read().contiguous()):
            x = x.detach().requires_grad_()
            layer(x)[0].sum().backward()
            gradients.append(x.grad)
        torch.testing.assert_close(*gradients)
