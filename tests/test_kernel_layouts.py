"""A kernel computes the same whatever lies between the numbers that it is given, and whatever its cell's names are."""

import unicodedata
from collections.abc import Callable
from keyword import iskeyword
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from builders.interpreted_kernel import assert_interpreted_equals_eager
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_kernels import Everything, Values, draw, run
from torch import Tensor
from torch.func import vmap

from ablations.models.cell import Cell, Functions
from ablations.models.cells import CELLS
from ablations.models.declaration import RESERVED
from ablations.models.eager import Weights, unroll
from ablations.models.gate import Gate
from ablations.models.kernels.sequence import compute_compiled
from ablations.models.recurrent import RecurrentLayer

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
    """Equal values, inside a larger tensor that has others between them and before them."""

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
@settings(max_examples=10, deadline=None)
def test_any_layout_of_any_argument_gives_what_the_eager_backend_gives(
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
@settings(max_examples=5, deadline=None)
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
    layer = RecurrentLayer("lstm", 3, 4)
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


# Names of the generated code's own variables and functions, and what a cell's names look like in there.
TAKEN = """
    d_h d_new_h d_x d_out d_memory d_gates t t1 t2 u1 u_operand operand h_new h_old new_h old_h new_c d_t1 n_x n_h a_n_x ax_n
    a_i v_p s_p g_h b0 R B T I H N r j n step active is_active stack memory gates packed past tape keep workspace reverse
    shared saved following x mask initial weight bias vectors outputs final column wide exp tanh sigmoid select load store
    λ _ __ d d_ v v_
"""


def _is_name(text: str) -> bool:
    return unicodedata.normalize("NFKC", text) == text and text.isidentifier() and not iskeyword(text)


names = st.lists(st.one_of(st.sampled_from(TAKEN.split()), st.from_regex(r"[A-Za-z_]\w{0,3}", fullmatch=True)).filter(_is_name),
                 min_size=5, max_size=5, unique=True)  # fmt: skip


def renamed(gates: list[str], state: list[str], vectors: list[str], others: list[str]) -> type[Cell]:
    """`Everything` by other names."""
    i, f, n, u, q = gates
    c, m, *_ = [name for name in state if name != "h"]
    p, w, *_ = vectors
    k, *_ = [name for name in others if name not in ("h", c, m)]

    class Renamed(Everything):
        name = "renamed"
        gates = (Gate(i), Gate(f), Gate(n, "apart"), Gate(u, "none"), Gate(q, operand=True))
        state, vectors = ("h", c, m), (p, w)

        @staticmethod
        def operand(f_: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> Any:
            return f_.sigmoid(getattr(a, f)) * s.h + 0.25

        @staticmethod
        def step(f_: Functions, a: SimpleNamespace, s: SimpleNamespace, v: SimpleNamespace) -> dict[str, Any]:
            own = Everything.step(
                f_,
                SimpleNamespace(i=getattr(a, i), f=getattr(a, f), n=getattr(a, n), u=getattr(a, u), q=getattr(a, q)),
                SimpleNamespace(h=s.h, c=getattr(s, c), m=getattr(s, m)),
                SimpleNamespace(p=getattr(v, p), w=getattr(v, w)),
            )
            return {k: own["i"], c: own["c"], m: own["m"], "h": own["h"]}

    return Renamed


@given(names, names, names, names, st.booleans(), st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_a_cell_may_call_its_quantities_what_it_likes(
    gates: list[str], state: list[str], vectors: list[str], others: list[str], reverse: bool, seed: int
) -> None:
    """The generated source, run by plain Python, against the eager backend."""
    assume(not {*vectors} & {*gates, *state, "h", *RESERVED})  # one line says so
    torch.manual_seed(seed)
    cell = renamed(gates, state, vectors, others)
    values, mask = draw(cell, (2, 3, 2, 3), torch.float64, masked=True)
    assert_interpreted_equals_eager(cell, values, mask, reverse, tolerance=1e-9)


@pytest.mark.parametrize("other", ["d_h", "t1", "new_h", "operand"])
def test_a_quantity_named_like_one_of_the_kernels_own_compiles_and_changes_nothing(other: str) -> None:
    torch.manual_seed(0)
    cell = renamed([*"ifnuq"], ["c", "d_c"], ["t1", "w"], [other])
    values, mask = draw(cell, (3, 4, 2, 5), torch.float32, masked=True)
    assert_equal_paths(cell, values, mask, reverse=False)


LINEAR: dict[str, Callable[[Any, Any], dict[str, Any]]] = {
    "the pre-activation": lambda a, s: {"h": a.h},
    "a mean": lambda a, s: {"h": 0.5 * s.h + 0.5 * a.h},
    "a difference": lambda a, s: {"k": a.h - s.h, "h": s.h - 3 * a.h},
    "a sum beside an unused quantity": lambda a, s: {"k": a.h * s.h, "h": s.h + a.h},
}


@pytest.mark.parametrize("step", LINEAR.values(), ids=LINEAR)
def test_a_linear_step_has_nothing_to_keep_and_compiles(step: Callable[[Any, Any], dict[str, Any]]) -> None:
    torch.manual_seed(0)
    own = type("Linear", (CELLS["rnn"],), {"name": "linear", "step": staticmethod(lambda f, a, s, v: step(a, s))})
    values, mask = draw(own, (3, 4, 2, 5), torch.float32, masked=True)
    assert_equal_paths(own, values, mask, reverse=True)
