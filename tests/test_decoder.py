"""Networks that write their answers: what they are told in training, and what they write by themselves."""

import pytest
import torch
from torch import Tensor

from ablations.errors import UserError
from ablations.models import MODELS, Network
from ablations.models.attention import UniformAttention
from ablations.models.decoder import before
from ablations.models.recurrent_models import AttentionModel
from ablations.models.variant import Variant
from ablations.models.variants import VARIANTS
from tasks import IGNORED, TaskSpec

SPEC = TaskSpec(vocabulary=11, features=0, outputs=5, per_step=False, length=9, symbols=6)
WRITERS = [
    Variant("lstm", "recurrent"),
    Variant("gru", "recurrent", {"cell": "gru"}),
    *(VARIANTS[name] for name in ("bilstm", "bilstm-attention", "bilstm-uniform", "bag-of-words")),
]
each_writer = pytest.mark.parametrize("variant", WRITERS, ids=lambda variant: variant.name)


def build(variant: Variant) -> Network:
    return variant.build(SPEC, 7, seed=3)


def source(B: int, T: int = 9) -> Tensor:
    return torch.randint(11, (B, T), generator=torch.Generator().manual_seed(5))


@each_writer
def test_a_network_that_is_told_what_it_has_written_writes_it_again(variant: Variant) -> None:
    network, x = build(variant), source(16)
    written = network(x, steps=6)
    assert written.shape == (16, 6, SPEC.outputs)
    prefix = before(written.argmax(-1), SPEC.outputs)
    torch.testing.assert_close(network(x, prefix=prefix), written, rtol=1e-5, atol=1e-6)


@each_writer
def test_no_symbol_depends_on_those_that_are_told_after_it(variant: Variant) -> None:
    network, x = build(variant), source(4)
    prefix = torch.randint(SPEC.outputs, (4, 6))
    other = torch.cat([prefix[:, :3], (prefix[:, 3:] + 1) % SPEC.outputs], dim=1)
    one, two = network(x, prefix=prefix), network(x, prefix=other)
    torch.testing.assert_close(one[:, :3], two[:, :3])
    assert (one[:, 3:] != two[:, 3:]).any(-1).all()


@each_writer
def test_padding_of_the_source_changes_nothing_that_is_written(variant: Variant) -> None:
    network, x = build(variant), source(4, 6)
    padded = torch.cat([x, source(4, 3)], dim=1)
    mask = (torch.arange(9) < 6).expand(4, 9)
    torch.testing.assert_close(network(padded, mask, steps=5), network(x, steps=5), rtol=1e-5, atol=1e-6)


def test_a_bag_of_words_writes_the_same_for_any_order_and_others_do_not() -> None:
    x = source(8)
    for variant in WRITERS:
        network = build(variant)
        is_same = torch.allclose(network(x, steps=4), network(x.flip(1), steps=4), atol=1e-6)
        assert is_same == (variant.name == "bag-of-words")


def test_uniform_attention_weighs_all_that_is_no_padding_alike() -> None:
    mask = torch.arange(7) < torch.tensor([[7], [4]])
    weights = UniformAttention()(torch.randn(2, 3, 5), torch.randn(2, 7, 6), mask)
    assert weights.shape == (2, 3, 7)
    torch.testing.assert_close(weights, (mask / mask.sum(1, keepdim=True)).unsqueeze(1).expand(2, 3, 7))


def test_the_attention_that_is_read_out_is_what_the_decoder_uses() -> None:
    network, x = build(VARIANTS["bilstm-attention"]), source(3)
    assert isinstance(network, AttentionModel)
    assert network.decoder is not None
    prefix = torch.randint(SPEC.outputs, (3, 6))
    memory = network.read(network.encoder(x), None)
    context = torch.einsum("but,btw->buw", network.attention(x, None, prefix), memory.states)
    outputs = network.decoder.head(torch.cat([network.decoder.states(memory, prefix), context], dim=-1))
    torch.testing.assert_close(network(x, prefix=prefix), outputs)


def test_what_stands_before_a_symbol_is_the_symbol_before_it() -> None:
    targets = torch.tensor([[1, 2, 3], [4, IGNORED, IGNORED]])
    assert before(targets, 5).tolist() == [[5, 1, 2], [5, 4, 0]]


@pytest.mark.parametrize("model", [name for name in MODELS if name in ("feedforward", "cnn", "tcn", "reservoir")])
def test_a_model_that_cannot_write_says_so(model: str) -> None:
    with pytest.raises(UserError, match=f"'{model}' has no decoder"):
        Variant(model, model).build(SPEC, 7, seed=0)
