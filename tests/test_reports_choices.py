"""The report of a search over choices of every kind of value, each written to the databases and read back."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders.small_study import Databases, carry_out, recorded
from torch import Tensor, nn

from ablations.models import MODELS, Network
from ablations.models.variant import Variant
from ablations.study import Choice, Range, Study
from reports.estimates import Estimates
from reports.figures import FIGURES
from reports.importance import importance
from reports.method import method_blocks
from reports.result_tables import ResultTables
from reports.search_summary import best_values, search_blocks, trials
from reports.setting_summary import summaries
from tasks import TaskSpec

CHOICES: dict[str, Choice] = {
    "clip": Choice([1, 0.5]),
    "weight_decay": Choice([0.0, 0.01]),
    "warmup": Choice([0, np.float64(0.25)]),
    "batch": Choice([np.int64(4), 6]),
    "schedule": Choice(["linear", "cosine"]),
    "gain": Choice([0.5, 2, None]),
    "bias": Choice([np.bool_(True), False]),
    "form": Choice(["a", "2", "1e-05"]),
}


class OpenModel(Network):
    """A linear layer for each step, with flags that take any value."""

    causal = True

    def __init__(self, spec: TaskSpec, size: int, gain: Any = None, bias: Any = None, form: Any = None) -> None:
        super().__init__(spec)
        assert gain in (None, 0.5, 2)
        assert isinstance(bias, bool | None)
        assert form in (None, "a", "2", "1e-05")
        self.layer = nn.Linear(self.encoder.size, size, bias=bool(bias))
        self.head = nn.Linear(size, spec.outputs)

    def forward_encoded(self, x: Tensor, mask: Tensor | None) -> Tensor:
        steps = self.head(self.layer(x))
        return steps if self.spec.per_step else steps[:, -1]


@pytest.fixture
def chosen(study: Study, monkeypatch: pytest.MonkeyPatch) -> Study:
    """A search over a learning rate and over choices of every kind of value."""
    monkeypatch.setitem(MODELS, "open", OpenModel)
    monkeypatch.setattr("ablations.train.training._kept", [])  # what is kept of this model does not outlive it
    scale = study.scales["smoke"]
    budget = replace(scale.budget, trials=8, trials_per_round=4, search_seeds=1, parameters=60)
    return replace(
        study,
        name="chosen",
        variants=(Variant("open", "open"),),
        baseline="open",
        scales={"smoke": replace(scale, tasks={"adding": scale.tasks["adding"]}, budget=budget)},
        nuisance={"lr": Range(1e-3, 1e-1), **CHOICES},
    )


def texts(space: Choice) -> set[str]:
    return {str(value) for value in space.values}


@pytest.mark.slow
def test_choices_of_every_kind_are_reported_as_the_study_says_them(chosen: Study, tmp_path: Path) -> None:
    carry_out(chosen, Databases(tmp_path))
    results = ResultTables(recorded(chosen, Databases(tmp_path)))
    estimates, table = Estimates(results), trials(results)
    spaces = chosen.at("smoke").nuisance
    for name, choice in CHOICES.items():
        assert {str(value) for value in table[name]} <= texts(spaces[name]), choice  # type: ignore[arg-type]
        assert table[name].nunique() > 1

    importances = FIGURES["importance"].table(estimates)
    assert list(importances["factor"]) == [*chosen.nuisance]
    assert (importances["trials"] == 8).all()
    for name in ("importance", "search"):
        FIGURES[name].draw(FIGURES[name].table(estimates))
    best, row = best_values(results).iloc[0], table[table["is_best"]].iloc[0]
    assert float(best["clip"]) == row["clip"]
    assert best["form"] == row["form"]
    assert list(search_blocks(results))
    assert list(method_blocks(results))
    assert "form " in next(summaries(estimates)).text


@pytest.mark.slow
@pytest.mark.parametrize("values", [[0.5, 1.0], [1, 0.5], [1.0, 2.0]])
def test_a_choice_of_floats_beside_a_learning_rate_has_an_importance(
    study: Study, changed: Callable[..., Study], tmp_path: Path, values: list[float]
) -> None:
    small = changed(
        study.with_changes("smoke", {"trials": 6}), nuisance={"lr": Range(1e-3, 0.1), "clip": Choice(values)}
    )
    carry_out(small, tmp_path)
    table = importance(Estimates(ResultTables(recorded(small, tmp_path))))
    assert set(table["factor"]) == {"lr", "clip"}
    assert (table["trials"] == 6).all()
