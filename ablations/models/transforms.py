"""What torch is doing with its tensors just now: recording their operations, or transforming the functions of them."""

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

_functorch = torch._C._functorch
_MODES = (torch._C._TorchDispatchModeKey.FAKE, torch._C._TorchDispatchModeKey.PROXY)


def is_exporting() -> bool:
    """Whether `torch.export`, and `torch.onnx` by it, or `torch.jit.trace` writes operations down, for use without us."""
    return torch.compiler.is_exporting() or is_tracing()


def is_tracing() -> bool:
    """Whether `torch.jit.trace` writes operations down."""
    # torch._C has it too, but that torch.compile cannot follow.
    return bool(torch.jit.is_tracing())  # type: ignore[attr-defined, no-untyped-call]


def is_autocast(device: str) -> bool:
    """Whether autocast is on for that kind of device."""
    return torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device)


def is_faked() -> bool:
    """Whether tensors only stand for others, or `make_fx` writes operations down."""
    return any(torch._C._get_dispatch_mode(mode) is not None for mode in _MODES)


def is_plain(tensor: Tensor) -> bool:
    """Whether it is numbers in memory: no subclass of `Tensor` that stands for something else."""
    return type(tensor) in (Tensor, nn.Parameter, nn.Buffer)


def is_forward_mode() -> bool:
    """Whether tensors may carry tangents, which compiled code does not see."""
    return forward_ad._current_level >= 0


def is_batched(tensor: Tensor) -> bool:
    """Whether it stands for many: within `vmap`, or where `torch.autograd.grad` is given a batch of gradients."""
    return _functorch.is_functorch_wrapped_tensor(tensor) or _functorch.is_legacy_batchedtensor(tensor)


def is_differentiated() -> bool:
    """Whether a transform of `torch.func` other than `vmap` is on its way."""
    stack = _functorch.get_interpreter_stack() or []
    return any(level.key() != _functorch.TransformType.Vmap for level in stack)
