"""The functions of stacked runs equal torch's, in their values and in all gradients."""

from collections.abc import Callable
from math import ceil
from unittest import mock

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.func import vmap
from torch.nn import functional as F

from ablations.models.attention import additive_energies
from ablations.models.convolution import rectified_convolution
from ablations.train.stacked_attention import Energies
from ablations.train.stacked_convolution import Convolution
from ablations.train.stacked_functions import FEWEST_COLUMNS, REPLACEMENTS, StackedFunctions

R, N = 3, 20


def compared(function: Callable[..., Tensor], *inputs: Tensor) -> None:
    """Compares `vmap` of the function with and without what replaces it: outputs, and gradients of all float inputs."""
    results = []
    for context in (StackedFunctions(), torch.enable_grad()):
        leaves = [x.detach().requires_grad_() if x.is_floating_point() else x for x in inputs]
        with context:
            outputs = vmap(function)(*leaves)
        torch.manual_seed(0)
        wanted = [leaf for leaf in leaves if leaf.requires_grad]
        results.append([outputs, *torch.autograd.grad(outputs, wanted, torch.randn(outputs.shape), allow_unused=True)])
    for ours, theirs in zip(*results, strict=True):
        if theirs is None:
            assert ours is None
            continue
        tolerance = 1e-5 if theirs.dtype == torch.float32 else 1e-10
        scale = max(1.0, float(theirs.detach().abs().max()))  # a gradient of a weight is a sum over many steps
        torch.testing.assert_close(ours, theirs, rtol=0, atol=tolerance * scale)


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the functions that were replaced; a test with it fails if none was."""
    names: list[str] = []
    for function, replacement in REPLACEMENTS.items():

        def noting(
            *args: object, function: object = function, replacement: object = replacement, **kwargs: object
        ) -> object:
            result = replacement(*args, **kwargs)  # type: ignore[operator]
            if result is not NotImplemented:
                names.append(function.__name__)  # type: ignore[attr-defined]
            return result

        monkeypatch.setitem(REPLACEMENTS, function, noting)  # type: ignore[arg-type]
    return names


@pytest.mark.parametrize("outputs", [1, 5, 16, 40])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(N, 7), (4, 5, 7), (2, 3, 4, 7)])
def test_linear(called: list[str], outputs: int, bias: bool, shape: tuple[int, ...]) -> None:
    weight = torch.randn(R, outputs, 7)
    compared(F.linear, torch.randn(R, *shape), weight, *([torch.randn(R, outputs)] if bias else []))
    assert called == ["linear"]


def test_linear_of_strided_inputs_and_of_one_input_for_all_runs(called: list[str]) -> None:
    compared(F.linear, torch.randn(R, 7, N).mT, torch.randn(R, 7, 9).mT)
    x = torch.randn(N, 7)
    compared(lambda weight: F.linear(x, weight), torch.randn(R, 9, 7))
    assert len(called) == 2


@pytest.mark.filterwarnings("ignore:Using padding='same'")  # torch copies for an even kernel
@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
@pytest.mark.parametrize("dilation", [1, 2, 4])
@pytest.mark.parametrize("padding", [0, 3, "same", "valid"])
@pytest.mark.parametrize("outputs", [6, 17])
def test_convolution(called: list[str], kernel: int, dilation: int, padding: int | str, outputs: int) -> None:
    x, weight, bias = torch.randn(R, N, 5, 18), torch.randn(R, outputs, 5, kernel), torch.randn(R, outputs)
    compared(lambda x, w, b: F.conv1d(x, w, b, padding=padding, dilation=dilation), x, weight, bias)
    compared(lambda x, w: F.conv1d(x.mT, w, padding=padding, dilation=dilation), x.mT.contiguous(), weight)
    assert called == ["conv1d", "conv1d"]


LAYOUTS = {
    "channels, steps": lambda *shape: torch.randn(R, *shape),
    "steps, channels": lambda n, C, T: torch.randn(R, n, T, C).mT,
    "sequences side by side": lambda n, C, T: torch.randn(R, C, T, n).permute(0, 3, 1, 2),
    "every second number": lambda n, C, T: torch.randn(R, n, C, 2 * T)[..., ::2],
}
"""How x (R, n, C, T) lies in memory."""


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[list[Tensor], int, tuple[int, int]]:
    """x, weight, bias and mask; the dilation; the steps of zeros at both ends.

    Of quarters all sums are exact, so that none is above zero in one way of adding and below in another.
    """
    n, channels, outputs, kernel = (draw(st.integers(1, largest)) for largest in (37, 20, 30, 5))
    dilation, before, after = draw(st.integers(1, 4)), draw(st.integers(0, 9)), draw(st.integers(0, 9))
    fewest = max(ceil(FEWEST_COLUMNS / n), (kernel - 1) * dilation + ceil(FEWEST_COLUMNS / n) - before - after)
    steps = fewest + draw(st.integers(0, 12))
    torch.manual_seed(draw(st.integers(0, 9)))
    x = draw(st.sampled_from(list(LAYOUTS.values())))(n, channels, steps)
    out = steps + before + after - (kernel - 1) * dilation
    tensors = [x, torch.randn(R, outputs, channels, kernel), torch.randn(R, outputs)]
    dtype = draw(st.sampled_from([torch.float32, torch.float64]))
    return (
        [*(t.mul(4).round().div(4).to(dtype) for t in tensors), torch.rand(R, n, out) < 0.7],
        dilation,
        (before, after),
    )


@given(convolutions())
@settings(max_examples=150, deadline=None)
def test_convolution_and_relu_of_any_shape_in_any_layout(
    case: tuple[list[Tensor], int, tuple[int, int]],
) -> None:
    (x, weight, bias, mask), dilation, sides = case

    def rectified(x: Tensor, w: Tensor, b: Tensor, mask: Tensor | None = None) -> Tensor:
        return rectified_convolution(x, w, b, dilation, sides, mask)

    def plain(x: Tensor, w: Tensor) -> Tensor:
        return F.conv1d(F.pad(x, sides), w, dilation=dilation)

    for function, inputs in (
        (rectified, (x, weight, bias, mask)),
        (rectified, (x, weight, bias)),
        (plain, (x, weight)),
    ):
        with mock.patch.object(Convolution, "apply", wraps=Convolution.apply) as apply:
            compared(function, *inputs)
        apply.assert_called()


def test_a_convolution_of_a_run_that_diverged_is_not_a_number_and_the_others_are_what_they_were(
    called: list[str],
) -> None:
    x, weight, bias = torch.randn(R, N, 5, 18), torch.randn(R, 6, 5, 3), torch.randn(R, 6)
    convolve = vmap(lambda *tensors: rectified_convolution(*tensors, 1, (2, 0), None))
    with StackedFunctions():
        before = convolve(x, weight, bias)
        x[1, :, :, 0] = torch.nan
        after = convolve(x, weight, bias)
    assert after[1, :, :, :3].isnan().all()
    assert torch.equal(before[[0, 2]], after[[0, 2]])
    assert torch.equal(before[1, :, :, 3:], after[1, :, :, 3:])
    assert len(called) == 2


def test_a_convolution_and_a_relu_apart_are_a_convolution_and_a_relu(called: list[str]) -> None:
    x, weight, bias = (torch.randn(R, *shape).mul(4).round() for shape in ((N, 5, 18), (6, 5, 3), (6,)))
    compared(lambda *tensors: F.conv1d(*tensors, padding="same").relu(), x, weight, bias)
    assert called == ["conv1d"]


def test_without_a_compiler_torch_convolves(called: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ablations.train.stacked_functions.has_compiler", lambda: False)
    x, weight, bias = torch.randn(R, N, 5, 18), torch.randn(R, 6, 5, 3), torch.randn(R, 6)
    compared(lambda *tensors: rectified_convolution(*tensors, 1, (2, 0), None).amax(1), x, weight, bias)
    compared(lambda *tensors: F.conv1d(*tensors), x, weight, bias)
    assert not called


@pytest.mark.parametrize("n", [16, 20, 33])
@pytest.mark.parametrize("is_rectified", [True, False])
def test_the_largest_over_steps_shares_its_gradient_among_equals(called: list[str], n: int, is_rectified: bool) -> None:
    x = torch.randn(R, 5, 7, n).round(decimals=1).permute(0, 3, 2, 1)
    compared(lambda x: (x.relu() if is_rectified else x).amax(1), x)
    assert called == ["amax"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@given(st.tuples(*(st.integers(1, largest) for largest in (5, 9, 40, 20))))
@settings(max_examples=30, deadline=None)
def test_the_energies_of_attention_of_any_shape(dtype: torch.dtype, shape: tuple[int, int, int, int]) -> None:
    n, queries, keys, units = shape
    tensors = [torch.randn(R, *each, dtype=dtype) for each in ((n, queries, units), (n, keys, units), (1, units))]
    with mock.patch.object(Energies, "apply", wraps=Energies.apply) as apply:
        compared(additive_energies, *tensors)
        compared(lambda q, k, w: additive_energies(q.mT, k.mT, w), tensors[0].mT, tensors[1].mT, tensors[2])
    assert apply.call_count == 4


def test_energies_of_a_run_that_diverged_are_not_numbers_and_the_others_are_what_they_were(called: list[str]) -> None:
    queries, keys, weight = torch.randn(R, 4, 3, 6), torch.randn(R, 4, 21, 6), torch.randn(R, 1, 6)
    with StackedFunctions():
        before = vmap(additive_energies)(queries, keys, weight)
        queries[1, 2] = torch.nan
        after = vmap(additive_energies)(queries, keys, weight)
    assert after[1, 2].isnan().all()
    assert torch.equal(before[[0, 2]], after[[0, 2]])
    assert called == ["additive_energies"] * 2


@pytest.mark.parametrize("size", [3, 16, 37])
def test_embedding(called: list[str], size: int) -> None:
    compared(F.embedding, torch.randint(11, (R, 4, 5)), torch.randn(R, 11, size))
    assert called == ["embedding"]


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("shape", [(N,), (3, 11), (2, 4, 5)])
def test_cross_entropy(called: list[str], reduction: str, shape: tuple[int, ...]) -> None:
    targets = torch.randint(5, (R, *shape))
    targets[torch.rand(targets.shape) < 0.3] = -1
    logits = 5 * torch.randn(R, shape[0], 5, *shape[1:])
    compared(lambda x, t: F.cross_entropy(x, t, ignore_index=-1, reduction=reduction), logits, targets)
    assert called == ["cross_entropy"]


def test_cross_entropy_of_huge_logits_is_finite(called: list[str]) -> None:
    logits = torch.randn(R, N, 4) * 1e4
    compared(F.cross_entropy, logits, logits.argmax(-1))
    assert called == ["cross_entropy"]


@pytest.mark.parametrize(
    "function",
    [
        lambda x, w: F.linear(x[0], w),
        lambda x, w: F.conv1d(x.unsqueeze(1), w.unsqueeze(1), stride=2),
        lambda x, w: F.conv1d(x[:3].unsqueeze(1), w.unsqueeze(1)),
        lambda x, w: rectified_convolution(x[:3].unsqueeze(1), w.unsqueeze(1), None, 1, (0, 0), None),
        lambda x, w: x.unsqueeze(1).amax(1, keepdim=True),
        lambda x, w: F.cross_entropy(x, x.argmax(-1), label_smoothing=0.1),
        lambda x, w: F.cross_entropy(x[:4], x[:4].argmax(-1)),
        lambda x, w: F.cross_entropy(x, x.softmax(-1)),
        lambda x, w: F.embedding(x.argmax(-1), w, padding_idx=0),
    ],
)
def test_what_is_not_known_is_left_to_torch(called: list[str], function: Callable[..., Tensor]) -> None:
    compared(function, torch.randn(R, N, 7), torch.randn(R, 7, 7))
    assert not called


def test_a_token_or_target_out_of_range_is_an_error() -> None:
    with StackedFunctions(), pytest.raises(IndexError, match="no row of an embedding of 11 rows"):
        vmap(F.embedding)(torch.full((R, N), 11), torch.randn(R, 11, 3))
    with StackedFunctions(), pytest.raises(IndexError, match="none of 5 classes"):
        vmap(F.cross_entropy)(torch.randn(R, N, 5), torch.full((R, N), 5))
