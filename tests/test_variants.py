"""Named variants are what they say, and an ablation differs from its parent in one thing."""

import pytest
import torch

from ablations.models.cells import CELLS
from ablations.models.recurrent import RecurrentLayer
from ablations.models.variant import Variant
from ablations.models.variants import VARIANTS
from tasks import TASKS

ADDING, COPYING = TASKS["adding"](length=12).spec, TASKS["copying"](delay=3, items=2).spec


def test_every_cell_and_every_ablation_has_a_variant() -> None:
    assert all(variant.name == name for name, variant in VARIANTS.items())
    assert CELLS.keys() <= VARIANTS.keys()
    greff = {"no-input-gate", "no-forget-gate", "no-output-gate", "no-input-activation", "no-output-activation"}
    greff |= {"coupled", "peepholes", "full-gate-recurrence"}
    assert {f"lstm-{name}" for name in greff} <= VARIANTS.keys()


@pytest.mark.parametrize("name", [name for name, variant in VARIANTS.items() if variant.parent])
def test_an_ablation_differs_from_its_parent_in_one_flag_and_says_so(name: str) -> None:
    variant, parent = VARIANTS[name], VARIANTS[str(VARIANTS[name].parent)]
    assert variant.change
    if variant.model == parent.model:
        flags = variant.flags.keys() | parent.flags.keys()
        assert sum(variant.flags.get(key) != parent.flags.get(key) for key in flags) == 1


def biases(name: str) -> dict[str, torch.Tensor]:
    network = VARIANTS[name].build(ADDING, 200, seed=0)
    layer = next(part for part in network.modules() if isinstance(part, RecurrentLayer))
    return dict(zip(layer.cell.gates_with(), layer.bias.detach().chunk(len(layer.cell.gates)), strict=True))


def test_the_forget_gate_starts_where_its_variant_says() -> None:
    assert float(biases("lstm")["f"].mean()) == pytest.approx(1, abs=0.02)
    assert float(biases("lstm-forget-bias-0")["f"].mean()) == pytest.approx(0, abs=0.02)
    chrono = biases("lstm-chrono")
    assert torch.equal(chrono["i"], -chrono["f"])
    spans = chrono["f"].exp()
    assert 1 <= float(spans.min()) < 2
    assert 10 < float(spans.max()) <= 11  # sequences of up to 12 steps


def test_only_a_cell_with_these_gates_can_start_them() -> None:
    with pytest.raises(ValueError, match=r"forget_bias 1\.0 needs a cell with gate f; gru has none"):
        Variant("x", "recurrent", {"cell": "gru", "forget_bias": 1.0}).build(ADDING, 3, seed=0)


def test_pooling_reads_the_steps_of_the_sequence_and_no_padding() -> None:
    for name in ("lstm", "lstm-mean", "lstm-max"):
        network = VARIANTS[name].build(ADDING, 5, seed=0)
        x, mask = torch.randn(2, 6, 2), torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
        alone = network(x[1:, :4])[0]
        torch.testing.assert_close(network(x, mask)[1], alone)
    with pytest.raises(ValueError, match="one answer per sequence"):
        VARIANTS["lstm-mean"].build(COPYING, 5, seed=0)


@pytest.mark.parametrize("flag", [{"direction": "sideways"}, {"merge": "product"}, {"pooling": "median"}])
def test_flags_that_there_are_not_are_refused_with_those_there_are(flag: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"[Kk]nown: |must be "):
        Variant("x", "recurrent", flag).build(ADDING, 3, seed=0)


def test_a_backward_network_answers_from_the_end_that_it_read_last() -> None:
    network = VARIANTS["lstm-backward"].build(ADDING, 5, seed=0)
    x = torch.randn(1, 6, 2)
    forward = VARIANTS["lstm"].build(ADDING, 5, seed=0)
    torch.testing.assert_close(network(x), forward(x.flip(1)))
    assert not network.causal


def test_summed_directions_are_the_sum_of_both() -> None:
    both = VARIANTS["bilstm"].build(COPYING, 4, seed=0).get_submodule("recurrent")
    summed = VARIANTS["bilstm-sum"].build(COPYING, 4, seed=0).get_submodule("recurrent")
    x = torch.randn(2, 5, 16)
    forward, backward = both(x).chunk(2, -1)
    torch.testing.assert_close(summed(x), forward + backward)
