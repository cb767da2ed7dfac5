"""Optuna, asked and told by one owner: seeded, resumable, and repeatable."""

import math
from pathlib import Path
from statistics import median

import pytest

from ablations.search import Search, storage_at
from ablations.study import Plan, Study


def _plan(study: Study, trials_per_round: int = 2) -> Plan:
    return study.with_budget("smoke", {"trials_per_round": trials_per_round}).at("smoke")


def _search(folder: Path, study: Study, trials_per_round: int = 2) -> Search:
    return Search(storage_at(f"sqlite:///{folder / 'optuna.db'}"), "name", "stream", _plan(study, trials_per_round))


def _run(search: Search, numbers: range) -> list[float]:
    rates = [search.hyperparameters(number)["lr"] for number in numbers]
    for number, lr in zip(numbers, rates, strict=True):
        search.tell(number, "finished", -abs(lr - 0.02))
    return rates


def test_a_search_repeats_exactly(tmp_path: Path, study: Study) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = (_search(tmp_path / name, study) for name in "ab")
    assert [_run(first, range(k, k + 2)) for k in (0, 2, 4)] == [_run(second, range(k, k + 2)) for k in (0, 2, 4)]


def test_an_interrupted_search_asks_what_it_would_have_asked(tmp_path: Path, study: Study) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = _search(tmp_path / "a", study)
    expected = _run(whole, range(2)) + _run(whole, range(2, 4))
    broken = _search(tmp_path / "b", study)
    found = _run(broken, range(2))
    broken.hyperparameters(2)  # asked, and then the process dies
    assert found + _run(_search(tmp_path / "b", study), range(2, 4)) == expected


def test_the_first_draws_are_the_same_for_all_settings_and_one_from_each_part_of_the_range(
    tmp_path: Path, study: Study
) -> None:
    storage = storage_at(f"sqlite:///{tmp_path / 'optuna.db'}")
    searches = [Search(storage, name, name, _plan(study, 5)) for name in ("first", "second")]
    first, second = ([search.hyperparameters(number)["lr"] for number in range(5)] for search in searches)
    assert first == second
    range_ = study.nuisance["lr"]
    shares = [math.log(lr / range_.low) / math.log(range_.high / range_.low) for lr in first]
    assert sorted(int(5 * share) for share in shares) == [0, 1, 2, 3, 4]


def test_later_draws_follow_from_each_settings_own_results(tmp_path: Path, study: Study) -> None:
    storage = storage_at(f"sqlite:///{tmp_path / 'optuna.db'}")
    rates = []
    for name, wanted in (("first", 0.002), ("second", 0.08)):
        search = Search(storage, name, name, _plan(study, 4))
        for number in range(4):
            search.tell(number, "finished", -abs(search.hyperparameters(number)["lr"] - wanted))
        rates.append([search.hyperparameters(number)["lr"] for number in range(4, 8)])
    assert median(rates[0]) < 0.02 < median(rates[1])


def test_a_range_is_kept_to(tmp_path: Path, study: Study) -> None:
    rates = _run(_search(tmp_path, study), range(8))
    assert all(1e-3 <= lr <= 1e-1 for lr in rates)
    assert len(set(rates)) == 8


def test_a_trial_below_the_median_is_pruned(tmp_path: Path, study: Study) -> None:
    search = _search(tmp_path, study, trials_per_round=2)
    for number, level in enumerate((0.8, 0.9)):
        search.hyperparameters(number)
        for segment in (1, 2, 3):
            assert search.prune([number], [level], segment) == [False]
        search.tell(number, "finished", level)
    search.hyperparameters(2)
    search.hyperparameters(3)
    search.prune([2, 3], [0.1, 0.95], 1)
    assert search.prune([2, 3], [0.1, 0.95], 2) == [True, False]


def test_the_best_is_the_highest_and_the_earliest_of_equals(tmp_path: Path, study: Study) -> None:
    search = _search(tmp_path, study)
    ends = [("finished", 0.5), ("diverged", None), ("finished", 0.9), ("solved", 0.9), ("pruned", None)]
    for number, (status, objective) in enumerate(ends):
        search.hyperparameters(number)
        search.tell(number, status, objective)
    assert search.best(5) == 2


def test_there_is_no_best_where_every_trial_diverged(tmp_path: Path, study: Study) -> None:
    search = _search(tmp_path, study)
    search.hyperparameters(0)
    search.tell(0, "diverged", None)
    assert search.best(1) is None


def test_a_storage_that_cannot_be_opened_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot open the Optuna storage"):
        storage_at(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}")
