"""Every derivative and every transform of a drop-in layer is what reverse mode gives for torch.nn's layer, in float64."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, linearize, vjp, vmap
from torch.nn.utils.rnn import PackedSequence

import ablations.nn

Function = Callable[[Tensor], Tensor]
B, T, INPUTS, H = 2, 3, 2, 2
BATCH_SIZES = torch.tensor([2, 2, 1])
ARGUMENTS = ("x", "state", "weight_ih_l0", "weight_hh_l0", "bias_hh_l0", "packed")
KINDS = ("LSTM", "GRU", "RNN")
pytestmark = [  # what torch.func warns of while it works
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Attempted to insert a get_attr Node:UserWarning"),
]

each_kind = pytest.mark.parametrize("kind", KINDS)
each_argument = pytest.mark.parametrize("argument", ARGUMENTS)


def pair(kind: str) -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(1)
    ours, theirs = (getattr(house, kind)(INPUTS, H, dtype=torch.float64) for house in (ablations.nn, nn))
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def value_of(layer: nn.Module, argument: str) -> Tensor:
    generator = torch.Generator().manual_seed(2)
    shapes = {"x": (T, B, INPUTS), "state": (1, B, H), "packed": (int(BATCH_SIZES.sum()), INPUTS)}
    if argument in shapes:
        return torch.randn(shapes[argument], dtype=torch.float64, generator=generator)
    return layer.get_parameter(argument).detach()


def function_of(layer: nn.Module, argument: str) -> Function:
    """All that the layer returns, as a vector, by one of its arguments; the others are fixed, its parameters trained."""

    fixed_x, fixed_state = value_of(layer, "x"), value_of(layer, "state")

    def compute(value: Tensor) -> Tensor:
        x = PackedSequence(value, BATCH_SIZES) if argument == "packed" else value if argument == "x" else fixed_x
        state = value if argument == "state" else fixed_state
        hx = (state, state.cos()) if isinstance(layer, nn.LSTM) else state
        replaced = {argument: value} if argument in dict(layer.named_parameters()) else {}
        outputs, final = functional_call(layer, replaced, (x, hx))
        data = outputs.data if isinstance(outputs, PackedSequence) else outputs
        parts = [data, *(final if isinstance(final, tuple) else [final])]
        return torch.cat([part.flatten() for part in parts])

    return compute


def scalar(function: Function) -> Function:
    """A number whose second derivatives are not those of the layer alone."""
    return lambda value: (function(value).square() * (1 + torch.arange(len(function(value))))).sum()


def batched_gradients(function: Function, value: Tensor, create_graph: bool = False) -> Tensor:
    leaf = value.clone().requires_grad_()
    outputs = function(leaf)
    rows = torch.eye(outputs.numel(), dtype=outputs.dtype).view(-1, *outputs.shape)
    return torch.autograd.grad(outputs, leaf, rows, is_grads_batched=True, create_graph=create_graph)[0]


def columns(push: Callable[[Tensor], Tensor], value: Tensor) -> Tensor:
    """A Jacobian from what each unit vector is pushed forward to."""
    units = torch.eye(value.numel(), dtype=value.dtype).view(-1, *value.shape)
    return torch.stack([push(unit) for unit in units], -1).unflatten(-1, value.shape)


def dual(function: Function, value: Tensor, tangent: Tensor) -> Tensor:
    with forward_ad.dual_level():
        return forward_ad.unpack_dual(function(forward_ad.make_dual(value, tangent))).tangent


def row_by_row(function: Function, value: Tensor) -> Tensor:
    """By plain reverse mode, a row at a time: the oracle's way."""
    return torch.autograd.functional.jacobian(function, value)


JACOBIANS: dict[str, Callable[[Function, Tensor], Tensor]] = {
    "row by row": row_by_row,
    "jacrev": lambda f, value: jacrev(f)(value),
    "jacrev in chunks": lambda f, value: jacrev(f, chunk_size=1)(value),
    "jacfwd": lambda f, value: jacfwd(f)(value),
    "jvp": lambda f, value: columns(lambda unit: jvp(f, (value,), (unit,))[1], value),
    "linearize": lambda f, value: columns(linearize(f, value)[1], value),
    "dual numbers": lambda f, value: columns(partial(dual, f, value), value),
    "vmap of vjp": lambda f, value: vmap(vjp(f, value)[1])(torch.eye(f(value).numel(), dtype=value.dtype))[0],
    "batched gradients": batched_gradients,
    "batched gradients with graph": partial(batched_gradients, create_graph=True),
    "vectorized": lambda f, value: torch.autograd.functional.jacobian(f, value, vectorize=True),
    "vectorized forward": lambda f, value: torch.autograd.functional.jacobian(
        f, value, vectorize=True, strategy="forward-mode"
    ),
    "vmap of grad": lambda f, value: vmap(lambda row: grad(lambda inner: f(inner) @ row)(value))(
        torch.eye(f(value).numel(), dtype=value.dtype)
    ),
    "without grad": lambda f, value: torch.no_grad()(jacrev(f))(value),
}


def graph_of_graph(function: Function, value: Tensor) -> Tensor:
    leaf = value.clone().requires_grad_()
    (slope,) = torch.autograd.grad(function(leaf), leaf, create_graph=True)
    rows = [torch.autograd.grad(part, leaf, retain_graph=True)[0] for part in slope.flatten()]
    return torch.stack(rows).view(*value.shape, *value.shape)


def forward_over_reverse(function: Function, value: Tensor) -> Tensor:
    def push(unit: Tensor) -> Tensor:
        with forward_ad.dual_level():
            leaf = value.clone().requires_grad_()
            slope = torch.autograd.grad(function(forward_ad.make_dual(leaf, unit)), leaf, create_graph=True)[0]
            return forward_ad.unpack_dual(slope).tangent.detach()

    return columns(push, value)


def batch_of_graph(function: Function, value: Tensor) -> Tensor:
    """The second derivatives by batched gradients."""
    leaf = value.clone().requires_grad_()
    (slope,) = torch.autograd.grad(function(leaf), leaf, create_graph=True)
    rows = torch.eye(value.numel(), dtype=value.dtype).view(-1, *value.shape)
    found = torch.autograd.grad(slope, leaf, rows, is_grads_batched=True)[0]
    return found.view(*value.shape, *value.shape)


HESSIANS: dict[str, Callable[[Function, Tensor], Tensor]] = {
    "hessian": lambda f, value: hessian(f)(value),
    "jacrev of jacrev": lambda f, value: jacrev(jacrev(f))(value),
    "jacrev of grad": lambda f, value: jacrev(grad(f))(value),
    "jacfwd of jacfwd": lambda f, value: jacfwd(jacfwd(f))(value),
    "jacrev of jacfwd": lambda f, value: jacrev(jacfwd(f))(value),
    "jvp of grad": lambda f, value: columns(lambda unit: jvp(grad(f), (value,), (unit,))[1], value),
    "graph of graph": graph_of_graph,
    "batched gradients of graph": batch_of_graph,
    "forward over reverse": forward_over_reverse,
    "functional": lambda f, value: torch.autograd.functional.hessian(f, value),
    "functional, vectorized": lambda f, value: torch.autograd.functional.hessian(f, value, vectorize=True),
    "functional, forward": lambda f, value: torch.autograd.functional.hessian(
        f, value, vectorize=True, outer_jacobian_strategy="forward-mode"
    ),
}


@each_kind
@each_argument
def test_jacobians_are_torchs_by_every_route(kind: str, argument: str) -> None:
    ours, theirs = pair(kind)
    value = value_of(ours, argument)
    expected = row_by_row(function_of(theirs, argument), value)
    assert expected.abs().max() > 0.01
    for name, route in JACOBIANS.items():
        found = route(function_of(ours, argument), value)
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9, msg=lambda text, name=name: f"{name}: {text}")


@each_kind
@each_argument
def test_second_derivatives_are_torchs_by_every_route(kind: str, argument: str) -> None:
    ours, theirs = pair(kind)
    value = value_of(ours, argument)
    expected = graph_of_graph(scalar(function_of(theirs, argument)), value)
    assert expected.abs().max() > 0.01
    for name, route in HESSIANS.items():
        found = route(scalar(function_of(ours, argument)), value)
        torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-8, msg=lambda text, name=name: f"{name}: {text}")


@each_kind
@each_argument
@pytest.mark.parametrize("depth", [1, 2])
def test_vmap_over_any_argument_is_a_loop(kind: str, argument: str, depth: int) -> None:
    """In outputs, and in the gradients by what is mapped over and by what is not, taken outside of it."""
    ours, theirs = pair(kind)
    value = value_of(ours, argument)
    many = torch.stack([value * factor for factor in (1.0, 0.5, -1.0, 2.0)]).requires_grad_()
    expected = torch.stack([function_of(theirs, argument)(one) for one in many])
    function: Any = function_of(ours, argument)
    found = vmap(function)(many) if depth == 1 else vmap(vmap(function))(many.unflatten(0, (2, 2))).flatten(0, 1)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    others = [name for name, _ in ours.named_parameters() if name != argument]
    slopes = [
        torch.autograd.grad(
            made.square().sum(), [many, *(layer.get_parameter(name) for name in others)], retain_graph=True
        )
        for layer, made in ((ours, found), (theirs, expected))
    ]
    torch.testing.assert_close(*slopes, rtol=1e-9, atol=1e-9)
    rows = torch.randn(3, *found.shape, dtype=found.dtype)
    batches = torch.autograd.grad(found, many, rows, is_grads_batched=True, retain_graph=True)[0]
    one_by_one = [torch.autograd.grad(expected, many, row, retain_graph=True)[0] for row in rows]
    torch.testing.assert_close(batches, torch.stack(one_by_one), rtol=1e-9, atol=1e-9)


@each_kind
def test_gradients_of_each_sequence_are_those_of_a_loop(kind: str) -> None:
    """Of every parameter at once, as for private or natural gradients."""
    ours, theirs = pair(kind)
    parameters = {name: parameter.detach() for name, parameter in ours.named_parameters()}
    x = torch.randn(4, T, INPUTS, dtype=torch.float64)

    def loss(parameters: dict[str, Tensor], sequence: Tensor) -> Tensor:
        return functional_call(ours, parameters, (sequence,))[0].square().sum()

    found = vmap(grad(loss), in_dims=(None, 0))(parameters, x)
    for index, sequence in enumerate(x):
        expected = torch.autograd.grad(theirs(sequence)[0].square().sum(), list(theirs.parameters()))
        torch.testing.assert_close([found[name][index] for name in parameters], list(expected), rtol=1e-9, atol=1e-9)


@each_kind
def test_a_tangent_of_the_gradient_of_outputs_is_not_lost(kind: str) -> None:
    """A backward pass of which a forward-mode derivative is taken, while the forward pass was a kernel's."""
    tangents = []
    for layer in pair(kind):
        x = value_of(layer, "x").requires_grad_()
        outputs = layer(x)[0]
        row = torch.linspace(-1, 1, outputs.numel(), dtype=outputs.dtype).view_as(outputs)
        with forward_ad.dual_level():
            slope = torch.autograd.grad(outputs, x, forward_ad.make_dual(row, row.square()))[0]
            tangents.append(forward_ad.unpack_dual(slope).tangent)
    torch.testing.assert_close(*tangents, rtol=1e-9, atol=1e-9)


@each_kind
def test_gradcheck_of_torch_passes_in_both_modes_and_both_orders(kind: str) -> None:
    layer, _ = pair(kind)
    function = function_of(layer, "x")
    value = value_of(layer, "x").requires_grad_()
    assert torch.autograd.gradcheck(
        function, value, check_forward_ad=True, check_batched_grad=True, check_batched_forward_grad=True
    )
    assert torch.autograd.gradgradcheck(function, value, check_fwd_over_rev=True, check_batched_grad=True)
