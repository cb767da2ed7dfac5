"""The functions of stacked runs equal torch's, in their values and in all gradients."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.func import vmap
from torch.nn import functional as F

from ablations.train.stacked_functions import REPLACEMENTS, StackedFunctions

R, N = 3, 20


def compared(function: Callable[..., Tensor], *inputs: Tensor) -> None:
    """Compares `vmap` of the function with and without what replaces it: outputs, and gradients of all float inputs."""
    results = []
    for context in (StackedFunctions(), torch.enable_grad()):
        leaves = [x.detach().clone().requires_grad_() if x.is_floating_point() else x for x in inputs]
        with context:
            outputs = vmap(function)(*leaves)
        torch.manual_seed(0)
        wanted = [leaf for leaf in leaves if leaf.requires_grad]
        results.append([outputs, *torch.autograd.grad(outputs, wanted, torch.randn(outputs.shape), allow_unused=True)])
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


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
    x, weight, bias = torch.randn(R, 4, 5, 18), torch.randn(R, outputs, 5, kernel), torch.randn(R, outputs)
    compared(lambda x, w, b: F.conv1d(x, w, b, padding=padding, dilation=dilation), x, weight, bias)
    compared(lambda x, w: F.conv1d(x.mT, w, padding=padding, dilation=dilation), x.mT.contiguous(), weight)
    assert called == ["conv1d", "conv1d"]


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
