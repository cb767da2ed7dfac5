"""Whatever else torch does with a layer: compile, export, trace, autocast, checkpoint; and the memory that is kept."""

import copy
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils.checkpoint import checkpoint

import ablations.nn
from ablations.models.backends import eager_backend
from ablations.models.kernels import buffers

KINDS = ("LSTM", "GRU", "RNN")
each_kind = pytest.mark.parametrize("kind", KINDS)
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.:DeprecationWarning")


def layer_of(kind: str, *args: Any, **options: Any) -> Any:
    return getattr(ablations.nn, kind)(*args, **options)


def outputs_of(layer: nn.Module, x: Tensor) -> Tensor:
    return layer(x)[0]


@each_kind
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_leaves_a_layer_in_float32(kind: str, dtype: torch.dtype) -> None:
    """Outputs, and so gradients, are those of the inputs made float32, by either backend."""
    layer, x = layer_of(kind, 3, 5, 2), torch.randn(4, 2, 3)
    expected = layer(x.to(dtype).float())
    with torch.autocast("cpu", dtype):
        torch.testing.assert_close(layer(x.to(dtype)), expected, rtol=0, atol=0)
        assert layer(x.to(dtype), layer(x.to(dtype))[1])[0].dtype == torch.float32
        with eager_backend():
            torch.testing.assert_close(layer(x.to(dtype)), expected, rtol=1e-5, atol=1e-6)
            assert ablations.models.Recurrent("gru", 3, 5)(x.to(dtype)).dtype == torch.float32


@each_kind
def test_an_exported_layer_is_the_layer_for_any_batch(kind: str) -> None:
    layer = layer_of(kind, 3, 5, 2, batch_first=True, bidirectional=True).eval()
    batch = torch.export.Dim("batch", min=2)
    program = torch.export.export(layer, (torch.randn(4, 6, 3),), dynamic_shapes={"input": {0: batch}})
    for size in (2, 7):
        x = torch.randn(size, 6, 3)
        torch.testing.assert_close(program.module()(x), layer(x), rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore::FutureWarning", "ignore::DeprecationWarning"
)  # what torch's exporter calls of its own
@each_kind
def test_a_layer_goes_to_onnx(kind: str, tmp_path: Any) -> None:
    pytest.importorskip("onnxscript")
    onnx = pytest.importorskip("onnx.reference")
    layer, x = layer_of(kind, 3, 5).eval(), torch.randn(4, 2, 3)
    torch.onnx.export(layer, (x,), tmp_path / "layer.onnx", dynamo=True, verbose=False)
    session = onnx.ReferenceEvaluator(str(tmp_path / "layer.onnx"))
    made = session.run(None, {session.input_names[0]: x.numpy()})
    torch.testing.assert_close(torch.from_numpy(made[0]), outputs_of(layer, x), rtol=1e-4, atol=1e-5)


@each_kind
def test_a_traced_layer_is_the_layer(kind: str) -> None:
    layer, x = layer_of(kind, 3, 5, 2, bidirectional=True), torch.randn(4, 2, 3)
    traced = torch.jit.trace(layer, (x,))
    for one in (x, torch.randn(4, 2, 3)):
        torch.testing.assert_close(traced(one), layer(one), rtol=1e-5, atol=1e-6)
    assert "_Sequence" not in str(traced.inlined_graph)


@each_kind
def test_operations_are_written_down_by_make_fx(kind: str) -> None:
    layer, x = layer_of(kind, 3, 5), torch.randn(4, 2, 3)
    graph = make_fx(lambda x: outputs_of(layer, x))(x)
    other = torch.randn(4, 2, 3)
    torch.testing.assert_close(graph(other), outputs_of(layer, other), rtol=1e-5, atol=1e-6)


COMPILED = """
import torch
from ablations.nn import {kind}
layer = {kind}(3, 5, 2, bidirectional=True)
readout, x = torch.nn.Linear(10, 1), torch.randn(4, 2, 3)
loss = lambda x: readout(layer(x)[0]).square().mean()
compiled = torch.compile(loss, backend="aot_eager")
for _ in range(3):
    gradients = []
    for function in (compiled, loss):
        layer.zero_grad()
        function(x).backward()
        gradients.append([parameter.grad.clone() for parameter in layer.parameters()])
    torch.testing.assert_close(*gradients)
print("same")
"""


@pytest.mark.long
@each_kind
def test_compile_may_be_the_very_first_call(kind: str) -> None:
    command = [sys.executable, "-W", "ignore", "-c", COMPILED.format(kind=kind)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.strip() == "same", done.stderr


def test_a_graph_without_breaks_is_refused_in_one_sentence() -> None:
    layer, x = ablations.nn.Recurrent("mgu", 3, 5), torch.randn(4, 2, 3)
    with pytest.raises(torch._dynamo.exc.Unsupported, match="compile without fullgraph=True"):
        torch.compile(layer, backend="eager", fullgraph=True)(x)


def test_activation_checkpointing_keeps_no_tape() -> None:
    """The tape is 1 MiB long here, so that its buffer is as long."""
    buffers.clear()
    layer, x = ablations.nn.LSTM(16, 32), torch.randn(64, 16, 16, requires_grad=True)
    plainly = _gradients(layer, lambda: outputs_of(layer, x), x)
    assert buffers.held() > 0
    for reentrant in (False, True):
        again = _gradients(layer, lambda r=reentrant: checkpoint(outputs_of, layer, x, use_reentrant=r), x)
        torch.testing.assert_close(again, plainly, rtol=0, atol=0)
    buffers.clear()
    outputs = outputs_of(layer, x)
    assert buffers.held() == 0, "the tape is in use"
    del outputs
    in_use = buffers.held()
    assert in_use > 0
    outputs = checkpoint(outputs_of, layer, x, use_reentrant=False)
    assert buffers.held() == in_use, "the tape is free while the outputs wait for their gradient"
    outputs.sum().backward()


def _gradients(layer: nn.Module, function: Any, x: Tensor) -> list[Tensor]:
    layer.zero_grad()
    x.grad = None
    function().square().sum().backward()
    return [leaf.grad.clone() for leaf in (x, *layer.parameters())]  # type: ignore[union-attr]


def test_what_hooks_make_of_a_saved_tape_is_read_from_there() -> None:
    layer, x = ablations.nn.GRU(3, 5), torch.randn(4, 2, 3, requires_grad=True)
    expected = torch.autograd.grad(outputs_of(layer, x).square().sum(), x)
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: tensor.clone(), lambda tensor: tensor.clone()):
        outputs = outputs_of(layer, x)
    outputs_of(layer, torch.randn(4, 2, 3))  # takes the buffer that is free again
    torch.testing.assert_close(torch.autograd.grad(outputs.square().sum(), x), expected, rtol=0, atol=0)


def test_free_buffers_stay_below_their_bound() -> None:
    buffers.clear()
    for mebibytes in (16, 96, 100, 200, 300, 1):
        tensors = [buffers.take((mebibytes << 18,), torch.float32) for _ in range(3)]
        del tensors
        assert buffers.held() <= buffers.POOL
    buffers.clear()
    assert buffers.held() == 0


def test_a_buffer_is_lent_to_one_tensor_at_a_time() -> None:
    first = buffers.take((3, 5), torch.float64)
    alias, place = first.view(-1)[2:], first.data_ptr()
    del first
    assert buffers.take((3, 5), torch.float64).data_ptr() != place, "an alias holds it"
    del alias
    assert buffers.take((15,), torch.float64).data_ptr() == place


@each_kind
def test_a_deep_copy_trains_by_itself(kind: str) -> None:
    layer = layer_of(kind, 3, 5)
    other = copy.deepcopy(layer)
    outputs_of(other, torch.randn(4, 2, 3)).sum().backward()
    assert all(parameter.grad is None for parameter in layer.parameters())


def test_repr_tells_class_sizes_and_backend() -> None:
    assert repr(ablations.nn.GRU(3, 4, 2, bidirectional=True)) == (
        "GRU(3, 4, num_layers=2, bidirectional=True, backend=kernel)"
    )
    assert "RecurrentLayer('mgu', 3, 4, backend=kernel)" in repr(ablations.nn.Recurrent("mgu", 3, 4))
    with eager_backend():
        assert repr(ablations.nn.LSTM(3, 4)) == "LSTM(3, 4, backend=eager)"
    assert repr(ablations.nn.RNN(3, 4, dtype=torch.bfloat16)) == "RNN(3, 4, backend=eager)"
