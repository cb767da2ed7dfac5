"""Models keep their promises on the future, on padding and on length, and are sized alike."""

import numpy as np
import pytest
import torch
from builders.tasks import can_answer, of_difficulty
from torch import Tensor
from torch.func import functional_call, vmap

from ablations.models import MODELS, LengthError, Network
from ablations.models.attention import AdditiveAttention
from ablations.models.convolution import CNN, TCN
from ablations.models.recurrent_models import AttentionModel, Reservoir
from ablations.models.sizes import count_parameters, solve_size
from ablations.models.variant import Variant
from tasks import TASKS, TaskSpec

SHAPES = {
    "words, each": TaskSpec(vocabulary=11, features=0, outputs=3, per_step=True, length=9),
    "words, once": TaskSpec(vocabulary=11, features=0, outputs=3, per_step=False, length=9),
    "features, once": TaskSpec(vocabulary=None, features=2, outputs=1, per_step=False, length=9),
}
each_model = pytest.mark.parametrize("name", MODELS)
each_shape = pytest.mark.parametrize("shape", SHAPES)


def draw(spec: TaskSpec, B: int, T: int) -> Tensor:
    return torch.randint(11, (B, T)) if spec.vocabulary else torch.randn(B, T, spec.features)


def build(name: str, shape: str, size: int = 6) -> Network:
    return Variant(name, name).build(SHAPES[shape], size, seed=1)


@each_model
@each_shape
def test_outputs_are_as_the_interface_says(name: str, shape: str) -> None:
    spec = SHAPES[shape]
    outputs = build(name, shape)(draw(spec, 4, 7))
    assert outputs.shape == ((4, 7, spec.outputs) if spec.per_step else (4, spec.outputs))


@each_model
@each_shape
def test_padding_changes_no_answer(name: str, shape: str) -> None:
    spec, model = SHAPES[shape], build(name, shape)
    x = draw(spec, 4, 6)
    padded = torch.cat([x, draw(spec, 4, 3)], dim=1)  # whatever stands in the padding
    mask = (torch.arange(9) < 6).expand(4, 9)
    outputs = model(padded, mask)
    torch.testing.assert_close(outputs[:, :6] if spec.per_step else outputs, model(x), rtol=1e-5, atol=1e-6)


@each_model
def test_causal_models_see_nothing_of_the_future_and_others_do(name: str) -> None:
    model = build(name, "words, each")
    x = draw(SHAPES["words, each"], 16, 9)
    later = torch.cat([x[:, :5], draw(SHAPES["words, each"], 16, 4)], dim=1)
    unchanged = torch.allclose(model(x)[:, :5], model(later)[:, :5], atol=1e-6)
    assert unchanged == model.causal


@each_model
@each_shape
def test_models_can_be_stacked(name: str, shape: str) -> None:
    models = [Variant(name, name).build(SHAPES[shape], 6, seed) for seed in range(3)]
    stacked = {
        key: torch.stack([dict(m.named_parameters())[key] for m in models]) for key, _ in models[0].named_parameters()
    }
    x = torch.stack([draw(SHAPES[shape], 4, 7) for _ in models])
    together = vmap(lambda p, x: functional_call(models[0], p, (x,)))(stacked, x)
    torch.testing.assert_close(together, torch.stack([m(part) for m, part in zip(models, x, strict=True)]))


def test_the_feedforward_network_refuses_longer_sequences() -> None:
    with pytest.raises(LengthError, match="at most 9 steps, the sequence has 10"):
        build("feedforward", "words, once")(draw(SHAPES["words, once"], 2, 10))


@pytest.mark.parametrize("name", ["cnn", "tcn"])
def test_convolutions_depend_on_their_receptive_field_and_nothing_else(name: str) -> None:
    model = Variant(name, name).build(TaskSpec(None, 1, 1, per_step=True, length=20), 16, seed=0)
    assert isinstance(model, CNN | TCN)
    x = torch.randn(1, 101, 1, requires_grad=True)
    (gradient,) = torch.autograd.grad(model(x)[0, 50, 0], x)
    seen = gradient[0, :, 0].nonzero().flatten()
    field = model.receptive_field
    assert (int(seen.min()), int(seen.max())) == (
        (50 - field // 2, 50 + field // 2) if name == "cnn" else (51 - field, 50)
    )


def test_the_tcn_sees_the_longest_training_sequence_whole() -> None:
    for length in (1, 2, 5, 6, 50, 333):
        model = TCN(TaskSpec(None, 1, 1, per_step=False, length=length), 2)
        assert model.receptive_field >= length


@pytest.mark.parametrize("shape", ["words, each", "words, once"])
def test_attention_sums_to_one_and_ignores_padding(shape: str) -> None:
    model = build("bilstm-attention", shape)
    assert isinstance(model, AttentionModel)
    mask = torch.arange(7) < torch.tensor([7, 3, 1])[:, None]
    weights = model.attention(draw(SHAPES[shape], 3, 7), mask)
    torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]))
    assert not weights.movedim(1, -1)[~mask].any()


def test_the_reservoir_learns_nothing_but_its_head() -> None:
    model = build("reservoir", "words, once", size=30)
    assert isinstance(model, Reservoir)
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert trained == {"head.weight", "head.bias"}
    radius = torch.linalg.eigvals(model.recurrent.layers[0][0].recurrent_weight).abs().max()  # type: ignore[arg-type]
    assert float(radius) == pytest.approx(0.95, rel=1e-4)


def test_a_build_depends_on_its_seed_and_touches_no_other_randomness() -> None:
    before = torch.get_rng_state()
    first, again = (build("bilstm", "words, once") for _ in range(2))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    other = Variant("bilstm", "bilstm").build(SHAPES["words, once"], 6, seed=2)
    assert not torch.equal(first.head.weight, other.head.weight)  # type: ignore[union-attr, arg-type]


@each_model
def test_the_solved_size_is_the_nearest_of_all(name: str) -> None:
    variant, spec = Variant(name, name), TASKS["france"](gap=3).spec
    counts = {size: count_parameters(variant, spec, size) for size in range(1, 90)}
    best = min(counts, key=lambda size: abs(counts[size] - 2500))
    assert solve_size(variant, spec, 2500) == best


def test_a_count_that_cannot_be_met_is_refused() -> None:
    with pytest.raises(ValueError, match="parameters at least; 10 cannot be met"):
        solve_size(Variant("tcn", "tcn"), TASKS["copying"](delay=50).spec, 10)


def test_an_unknown_model_is_named_with_a_near_one() -> None:
    with pytest.raises(ValueError, match="did you mean 'bilstm'"):
        Variant("x", "bilstn")


@pytest.mark.parametrize("name", TASKS)
def test_the_tcn_sees_every_task_whole_and_is_no_deeper_than_that_takes(name: str) -> None:
    for nominal in (12, 13, 50, 101):
        length = of_difficulty(name, nominal).spec.length
        model = TCN(TaskSpec(None, 1, 1, per_step=True, length=length), 4)
        assert model.receptive_field >= length > 1 + 4 * (2 ** (model.levels - 1) - 1)


@pytest.mark.parametrize("length", [2, 6, 14, 30])
def test_without_a_silent_unit_the_tcn_sees_its_whole_receptive_field_and_no_more(length: int) -> None:
    model = TCN(TaskSpec(None, 1, 1, per_step=True, length=length), 2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.abs_()  # so that no ReLU is at rest
    x = torch.ones(1, model.receptive_field + 5, 1, requires_grad=True)
    (gradient,) = torch.autograd.grad(model(x)[0, -1, 0], x)
    assert gradient[0, :, 0].nonzero().flatten().tolist() == list(range(5, model.receptive_field + 5))


def test_attention_is_the_papers_formula() -> None:
    attend = AdditiveAttention(3, 3, 4)
    queries, keys, mask = torch.randn(2, 5, 3), torch.randn(2, 6, 3), torch.arange(6) < torch.tensor([[6], [4]])
    weights = attend(queries, keys, mask)
    for b, length in enumerate([6, 4]):
        for q in range(5):
            energies = [
                float(
                    (attend.energy.weight * torch.tanh(attend.query(queries[b, q]) + attend.key(keys[b, t])))
                    .sum()
                    .detach()
                )
                for t in range(length)
            ]
            expected = torch.tensor(energies).softmax(0)
            torch.testing.assert_close(weights[b, q, :length].detach(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", ["words, each", "words, once"])
def test_the_attention_that_is_read_out_is_what_the_answer_uses(shape: str) -> None:
    model = build("bilstm-attention", shape)
    assert isinstance(model, AttentionModel)
    x, mask = draw(SHAPES[shape], 3, 7), torch.arange(7) < torch.tensor([7, 3, 1])[:, None]
    states = model.recurrent(model.encoder(x), mask)
    queries = states if SHAPES[shape].per_step else torch.cat([states[:, -1, :6], states[:, 0, 6:]], dim=1)[:, None]
    context = torch.einsum("bqt,btd->bqd", model.attention(x, mask), states)
    expected = model.head(torch.cat([queries, context], dim=-1))
    found = model(x, mask)
    if SHAPES[shape].per_step:
        torch.testing.assert_close(found[mask], expected[mask])
    else:
        torch.testing.assert_close(found, expected[:, 0])


@pytest.mark.parametrize("size", [1, 2, 7, 80])
@pytest.mark.parametrize("task", [task for task in TASKS if can_answer("reservoir", task)])
def test_every_reservoir_has_its_spectral_radius(task: str, size: int) -> None:
    model = Variant("reservoir", "reservoir").build(TASKS[task]().spec, size, seed=0)
    weight = model.get_parameter("recurrent.layers.0.0.recurrent_weight")
    assert max(abs(np.linalg.eigvals(weight.double().numpy()))) == pytest.approx(0.95, rel=1e-4)


@each_model
@each_shape
def test_a_single_step_is_a_sequence_too(name: str, shape: str) -> None:
    spec, model = SHAPES[shape], build(name, shape)
    x, mask = draw(spec, 3, 5), (torch.arange(5) < 1).expand(3, 5)
    outputs = model(x, mask)
    torch.testing.assert_close(outputs[:, :1] if spec.per_step else outputs, model(x[:, :1]))
