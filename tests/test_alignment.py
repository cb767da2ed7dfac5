"""Attention scored against the known alignment: by weights made by hand, and by networks that were trained."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from ablations.models.variants import VARIANTS
from ablations.record.schema import ATTENTION_PAIRS, CURVES, VALUES
from ablations.run.outcomes import run_metrics
from ablations.train.alignment import PAIRS, scores_of, share_on_spans
from ablations.train.cohort import Cohort
from ablations.train.evaluation import evaluate_test
from ablations.train.segment import train_segment
from tasks import Batch, Translation
from tasks.dates import Dates
from tasks.task import UNALIGNED

DATES = Dates(languages=3)
SCORES = {"attention_aligned", "attention_chance", "attention_permuted"}
MakeCohort = Callable[..., Cohort]


def drawn(n: int) -> tuple[Batch, Tensor]:
    return DATES.aligned_sample(np.random.default_rng(0), n)


def looking_at(places: Tensor, steps: int) -> Tensor:
    """Weights (n, U, T) with most of it on one place (n, U)."""
    return 0.5 / steps + 0.5 * torch.nn.functional.one_hot(places.clamp(min=0), steps)


def test_who_looks_at_what_determines_a_symbol_scores_one_and_who_looks_beside_it_none() -> None:
    batch, spans = drawn(50)
    steps = batch.mask.shape[1]
    for place in (spans[..., 0], spans[..., 1] - 1):
        assert share_on_spans(looking_at(place, steps), spans) == 1
    assert share_on_spans(looking_at(spans[..., 1], steps + 1), spans) == 0


def test_equal_weights_score_chance_which_is_the_share_of_the_source_that_the_spans_take() -> None:
    batch, spans = drawn(200)
    equal = (batch.mask / batch.mask.sum(1, keepdim=True)).unsqueeze(1).expand(-1, spans.shape[1], -1)
    scores = scores_of(equal, spans, batch.mask)
    expected = []
    for row, length in zip(spans.tolist(), batch.mask.sum(1).tolist(), strict=True):
        expected.append(np.mean([(end - start) / length for start, end in row if start != UNALIGNED]))
    assert scores["attention_chance"] == pytest.approx(float(np.mean(expected)), rel=1e-5)
    assert scores["attention_aligned"] == pytest.approx(scores["attention_chance"], rel=1e-5)


def test_weights_of_another_pair_tell_only_what_the_place_tells() -> None:
    batch, spans = drawn(400)
    scores = scores_of(looking_at(spans[..., 0], batch.mask.shape[1]), spans, batch.mask)
    assert scores["attention_aligned"] == 1
    assert scores["attention_chance"] < scores["attention_permuted"] < 0.7


def test_the_report_knows_over_how_many_pairs_attention_is_scored() -> None:
    assert ATTENTION_PAIRS == PAIRS  # which it cannot import: that would load torch


@pytest.mark.parametrize("name", ["bilstm-attention", "bilstm-uniform", "bilstm", "bag-of-words"])
@pytest.mark.parametrize("task", ["dates", "numbers", "sentiment"])
def test_attention_is_recorded_where_a_network_attends_and_the_alignment_is_known(
    cohort: MakeCohort, task: str, name: str
) -> None:
    runs = cohort(0.01, 0.02, task=task, variant=VARIANTS[name])
    state, _ = train_segment(runs, None, 2)
    evaluations = evaluate_test(runs, state)
    curves = dict.fromkeys(("validation_score", "validation_loss", "validation_mixture_score"), ((8, 0.5),))
    attends = name in ("bilstm-attention", "bilstm-uniform") and isinstance(runs.setting.task, Translation)
    for evaluation in evaluations:
        metrics = run_metrics(curves, "finished", evaluation, runs.setting.task.nominal, 0.9)
        assert SCORES & metrics.keys() == (SCORES if attends else set())
        assert metrics.keys() <= VALUES.keys()
        assert evaluation.curves.keys() <= CURVES.keys()
        assert ("test_exact_match_by_difficulty" in evaluation.curves) == isinstance(runs.setting.task, Translation)
    for evaluation in evaluations:
        attention = evaluation.mechanisms.get("attention", {})
        assert bool(attention) == attends
        if attends:
            weights = np.array(attention["weights"])
            assert weights.shape == (len(attention["answer"]) + 1, len(attention["source"]))
            assert weights.sum(1) == pytest.approx(1, abs=0.03)


def test_the_weights_of_a_run_do_not_depend_on_the_runs_beside_it(cohort: MakeCohort) -> None:
    runs = cohort(0.01, 0.02, task="dates", variant=VARIANTS["bilstm-attention"])
    state, _ = train_segment(runs, None, 4)
    together = evaluate_test(runs, state)
    for index in range(2):
        (alone,) = evaluate_test(runs.only([index]), state.rows([index]))
        assert alone.values == pytest.approx(together[index].values, rel=1e-5)
        assert alone.mechanisms["attention"] == together[index].mechanisms["attention"]
