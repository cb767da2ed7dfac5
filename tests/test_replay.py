"""A recorded function gives the bits of the function itself, or is not replayed."""

import torch
from torch import Tensor

from ablations.train.noise import Noise
from ablations.train.replay import Replayed


def replayed(function: object) -> Replayed:
    noise = Noise()
    noise.start(lambda: [0, 1])
    return Replayed(function, noise)  # type: ignore[arg-type]


class Counted:
    """A function, and how often it was called itself."""

    def __init__(self, weight: Tensor) -> None:
        self.weight, self.calls = weight, 0

    def __call__(self, x: Tensor, y: Tensor) -> tuple[Tensor, ...]:
        self.calls += 1
        first, second = (x @ self.weight.mT).split(2, dim=1)
        first = first.clone()
        first[:, 0] += 1
        first.mul_(y[:, :1])
        (gradient,) = torch.autograd.grad((first * second.detach()).tanh().sum(), self.weight)
        return gradient, torch.cat([first.detach(), second.detach()])


def inputs() -> tuple[Tensor, Tensor]:
    return torch.randn(5, 3), torch.randn(5, 2)


def test_what_is_replayed_has_the_bits_of_the_function_and_no_longer_calls_it() -> None:
    function = Counted(torch.randn(4, 3, requires_grad=True))
    fast = replayed(function)
    for _ in range(5):
        given = inputs()
        made, calls = fast(*given), function.calls
        assert all(map(torch.equal, made, function(*given)))
        function.calls = calls
    assert function.calls == 2


def test_tensors_beside_the_inputs_are_read_anew() -> None:
    function = Counted(torch.randn(4, 3, requires_grad=True))
    fast = replayed(function)
    for _ in range(4):
        with torch.no_grad():
            function.weight.mul_(1.5)
        given = inputs()
        assert all(map(torch.equal, fast(*given), function(*given)))


def test_inputs_of_another_shape_or_order_in_memory_have_a_recording_of_their_own() -> None:
    fast = replayed(lambda x: (x.sum(0) + x.shape[0],))
    for _ in range(3):
        for x in (torch.randn(2, 3), torch.randn(7, 3), torch.randn(3, 7).mT):
            assert torch.equal(fast(x)[0], x.sum(0) + x.shape[0])


def test_a_function_that_reads_more_than_its_inputs_is_computed_each_time() -> None:
    function = Counted(torch.ones(1))
    function.__class__ = Reading
    fast = replayed(function)
    assert [fast(torch.zeros(1))[0].item() for _ in range(4)] == [1, 2, 3, 4]


class Reading(Counted):
    def __call__(self, x: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        self.calls += 1
        return (x + self.calls,)


def test_what_is_no_number_is_replayed_too() -> None:
    function = Counted(torch.randn(4, 3, requires_grad=True))
    fast = replayed(function)
    for _ in range(4):
        assert fast(torch.full((5, 3), torch.nan), torch.ones(5, 2))[0].isnan().all()
    assert function.calls == 2


def test_a_random_operation_is_drawn_anew_from_each_runs_stream() -> None:
    noise = Noise()
    fast = Replayed(lambda x: (torch.rand_like(x), torch.nn.functional.dropout(x, 0.5)), noise)
    x, drawn = torch.ones(2, 50), []
    for step in range(5):
        noise.start(lambda step=step: [step, 7])
        drawn.append(fast(x))
    assert len({tuple(uniform[0].tolist()) for uniform, _ in drawn}) == 5
    assert len({tuple(uniform[1].tolist()) for uniform, _ in drawn}) == 1
    assert len({tuple(dropped[1].tolist()) for _, dropped in drawn}) == 1


def test_what_reads_no_numbers_is_computed_once_unless_it_is_changed_in_place() -> None:
    def function(x: Tensor) -> tuple[Tensor, ...]:
        rows = torch.arange(3.0).unsqueeze(1) + torch.zeros_like(x)
        sums = torch.zeros(3)
        sums += x.sum(1)
        return (rows.sum(1) + sums,)

    fast = replayed(function)
    for _ in range(4):
        x = torch.randn(3, 2)
        assert torch.equal(fast(x)[0], function(x)[0])
    (recording,) = fast._recordings.values()
    (forward,) = (cell.cell_contents for cell in recording.__wrapped__.__closure__)  # type: ignore[attr-defined]
    operations = [node.name for node in forward.__self__.graph.nodes if node.op == "call_function"]
    assert operations == ["zeros_default", "sum_dim_int_list", "add__tensor", "add_tensor_1"]
