"""The study state_tracking: what it asks, and that it runs from training to the cards of its report."""

from dataclasses import replace
from pathlib import Path

import pytest
from builders.small_study import Memory, carry_out, recorded

from ablations.studies.state_tracking import STUDY
from reports.theorems import CARDS, measured


@pytest.mark.parametrize("scale", STUDY.scales)
def test_every_scale_has_all_tasks_and_lengths_that_training_does_not_come_near(scale: str) -> None:
    plan = STUDY.at(scale)
    assert list(plan.tasks) == ["parity", "modulo", "s3", "a5", "anbn", "dyck"]
    assert plan.budget.far[-1] >= (3 if scale == "smoke" else 100) * max(task.nominal for task in plan.tasks.values())


@pytest.mark.long
def test_a_study_at_smoke_scale_has_the_cards_of_its_networks_and_tasks(tmp_path: Path) -> None:
    smoke = STUDY.scales["smoke"]
    tasks = {label: smoke.tasks[label] for label in ("parity", "modulo", "anbn")}
    study = replace(STUDY, scales={"smoke": replace(smoke, tasks=tasks)})
    stores = Memory(tmp_path)
    assert carry_out(study, stores).failures == 0
    frame = measured(recorded(study, stores))
    assert set(frame["card"]) == CARDS.keys() - {"causal-ceiling"}  # the tasks of this study are about the past
    of_parity = frame[frame["card"] == "positive-gates"].groupby("variant")["difficulty"].apply(list)
    assert set(of_parity.index) == {"mingru", "mingru-signed", "rnn", "lstm", "gru"}
    assert all(difficulties == [8, 16, 20, 50] for difficulties in of_parity)
    assert set(frame[frame["refused"]]["variant"]) == {"feedforward"}
