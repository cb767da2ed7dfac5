"""What a replicate does inside: against the network alone on each cut sentence, and against the layer's own outputs."""

import json
from collections.abc import Callable

import pytest
import torch

from ablations.models import CELLS, Network
from ablations.models.recurrent import RecurrentLayer
from ablations.models.variant import Variant
from ablations.models.variants import VARIANTS
from ablations.record.long_tags import LONGEST_TAG
from ablations.record.mechanisms import CHECKS
from ablations.record.schema import MECHANISMS
from ablations.train.cohort import Cohort
from ablations.train.evaluation import evaluate_test
from ablations.train.mechanisms import STEPS, UNITS
from ablations.train.segment import train_segment
from tasks import Task

MakeCohort = Callable[..., Cohort]
LSTM = Variant("lstm", "recurrent", {"cell": "lstm"})


def trained(runs: Cohort) -> tuple[list[dict], list[Network]]:
    """The mechanisms of each run after a little training, and its network alone."""
    state, _ = train_segment(runs, None, 8)
    networks = []
    for theta in state.theta:
        network = runs.setting.variant.build(runs.setting.task.spec, runs.setting.size, seed=0).eval()
        torch.nn.utils.vector_to_parameters(theta, network.parameters())
        networks.append(network)
    return [evaluation.mechanisms for evaluation in evaluate_test(runs, state)], networks


def test_quantities_of_every_cell_are_those_that_its_layer_computes() -> None:
    x = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0))
    for name in CELLS:
        for reverse in (False, True):
            layer = RecurrentLayer(name, 4, 6, reverse)
            outputs, final = layer(x)
            quantities = layer.quantities(x)
            assert torch.allclose(quantities[layer.cell.state[0]], outputs, atol=1e-5), name
            last = 0 if reverse else -1
            for state, value in zip(layer.cell.state, final, strict=True):
                assert torch.allclose(quantities[state][:, last], value, atol=1e-5), name


@pytest.mark.parametrize("variant", [LSTM, VARIANTS["bilstm"], Variant("cnn", "cnn")], ids=lambda each: each.name)
def test_a_reading_is_what_the_network_says_of_each_cut_sentence(cohort: MakeCohort, variant: Variant) -> None:
    runs = cohort(0.05, 0.1, task="disambiguation", variant=variant)
    mechanisms, networks = trained(runs)
    pair = runs.setting.task.minimal_pair()
    for own, network in zip(mechanisms, networks, strict=True):
        reading = own["reading"]
        for sentence in range(2):
            given = reading["probabilities"][sentence]
            assert len(given) == len(reading["steps"][sentence]) - reading["asked"]
            for step, probabilities in enumerate(given):
                cut = pair.batch.inputs[sentence : sentence + 1, : pair.asked + step + 1]
                outputs = network(cut)[0, pair.asked].softmax(-1)
                assert probabilities == pytest.approx(outputs.tolist(), abs=1e-3)
    is_alike = all(len({tuple(each) for each in given}) == 1 for given in mechanisms[0]["reading"]["probabilities"])
    assert is_alike == (variant is LSTM)  # what follows cannot change the answer of a causal network


def test_a_memory_holds_means_over_units_and_the_units_that_change_most(cohort: MakeCohort) -> None:
    runs = cohort(0.05, task="copying", variant=LSTM, size=UNITS + 4)
    (mechanisms,), (network,) = trained(runs)
    memory = mechanisms["memory"]
    symbols = {"_": 8, ":": 9} | {chr(ord("a") + k): k for k in range(8)}
    x = network.encoder(torch.tensor([[symbols[step] for step in memory["steps"]]]))
    quantities = {name: each.detach() for name, each in network.recurrent.layers[0][0].quantities(x).items()}
    assert set(memory["quantities"]) == set(quantities)
    for name, lines in memory["quantities"].items():
        assert lines["mean"] == pytest.approx(quantities[name][0].mean(-1).tolist(), abs=0.006)
        assert all(a <= b for a, b in zip(lines["low"], lines["high"], strict=True))
    assert memory["state"] == "c"
    changes = torch.tensor(memory["units"]).var(1)
    everything = quantities["c"][0].var(0)
    assert len(memory["units"]) == UNITS
    assert changes.sum() == pytest.approx(float(everything.topk(UNITS).values.sum()), rel=0.1)


def test_the_sequence_of_a_memory_is_the_same_for_all_runs_and_networks(cohort: MakeCohort) -> None:
    seen = [
        run["memory"]["steps"]
        for variant in (LSTM, Variant("rnn", "recurrent", {"cell": "rnn"}))
        for run in trained(cohort(0.05, 0.1, task="copying", variant=variant))[0]
    ]
    assert all(steps == seen[0] for steps in seen)
    assert 0 < len(seen[0]) <= STEPS


@pytest.mark.parametrize(
    ("task", "variant", "names"),
    [
        ("disambiguation", LSTM, {"reading", "memory"}),
        ("disambiguation", Variant("cnn", "cnn"), {"reading"}),
        ("dates", VARIANTS["bilstm-attention"], {"attention", "memory"}),
        ("adding", Variant("cnn", "cnn"), set()),
    ],
    ids=["reading and memory", "reading", "attention", "nothing"],
)
def test_mechanisms_survive_the_record_and_need_few_tags(
    cohort: MakeCohort, task: str, variant: Variant, names: set[str]
) -> None:
    for mechanisms in trained(cohort(0.05, 0.1, task=task, variant=variant))[0]:
        assert set(mechanisms) == names <= set(MECHANISMS)
        for name, values in mechanisms.items():
            text = json.dumps(values)
            assert len(text) < LONGEST_TAG
            assert CHECKS[name](json.loads(text)) == values


def test_the_distance_of_the_cue_is_recorded_where_there_is_one(cohort: MakeCohort) -> None:
    runs = cohort(0.05, task="france")
    state, _ = train_segment(runs, None, 2)
    (evaluation,) = evaluate_test(runs, state)
    task: Task = runs.setting.task.at(runs.setting.task.nominal)
    batch = task.sample(runs.generator(runs.runs[0], "test", task.nominal), 64)
    expected = (batch.mask.sum(1) - 1 - task.cue(batch)).float().mean()
    assert evaluation.values["cue_distance"] == pytest.approx(float(expected))
