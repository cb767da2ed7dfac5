"""Optuna, asked and told by one owner: seeded, resumable, and repeatable."""

import math
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any
from warnings import catch_warnings, simplefilter

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState
from scipy.stats.qmc import LatinHypercube
from sqlalchemy import event
from sqlalchemy.engine import Engine

from ablations.pruners import stopped_by
from ablations.search import Search, storage_at
from ablations.study import Choice, Plan, Range, Study
from ablations.study.proposals import SAMPLERS, described
from ablations.study.seeds import generator, integer


def _plan(study: Study, trials_per_round: int = 2) -> Plan:
    budget = {"trials": 2 * trials_per_round, "trials_per_round": trials_per_round}
    return study.with_changes("smoke", budget).at("smoke")


def _search(folder: Path, study: Study, trials_per_round: int = 2) -> Search:
    return Search(storage_at(f"sqlite:///{folder / 'optuna.db'}"), "name", "stream", _plan(study, trials_per_round))


def _run(search: Search, numbers: range) -> list[float]:
    rates = [search.hyperparameters(number)["lr"] for number in numbers]
    for number, lr in zip(numbers, rates, strict=True):
        search.tell(number, -abs(lr - 0.02))
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
            search.tell(number, -abs(search.hyperparameters(number)["lr"] - wanted))
        rates.append([search.hyperparameters(number)["lr"] for number in range(4, 8)])
    assert median(rates[0]) < 0.02 < median(rates[1])


def test_a_range_is_kept_to(tmp_path: Path, study: Study) -> None:
    rates = _run(_search(tmp_path, study), range(8))
    assert all(1e-3 <= lr <= 1e-1 for lr in rates)
    assert len(set(rates)) == 8


def test_all_but_the_first_round_is_proposed_by_the_sampler(
    tmp_path: Path, study: Study, changed: Callable[..., Study]
) -> None:
    storage = storage_at(f"sqlite:///{tmp_path / 'optuna.db'}")
    for sampler in ("tpe", "random"):
        search = Search(storage, sampler, "stream", _plan(changed(study, sampler=sampler), 2))
        assert [search.proposed_by(number) for number in range(4)] == ["start-up", "start-up", sampler, sampler]


def test_a_random_search_starts_with_the_draws_that_all_settings_share(
    tmp_path: Path, study: Study, changed: Callable[..., Study]
) -> None:
    storage = storage_at(f"sqlite:///{tmp_path / 'optuna.db'}")
    tpe, random = (Search(storage, s, "stream", _plan(changed(study, sampler=s), 2)) for s in ("tpe", "random"))
    assert _run(tpe, range(2)) == _run(random, range(2))
    assert not set(_run(tpe, range(2, 4))) & set(_run(random, range(2, 4)))


def test_tpe_proposes_less_often_what_diverged(study: Study) -> None:
    """Above a rate of 0.01 all diverges, and the highest below is the best: the proposals press against the limit."""
    diverged = {"passed over": 0, "told": 0}
    for stream in "abcdef":
        for way in diverged:
            search = Search(InMemoryStorage(), "name", stream, _plan(study, 5))
            for first in range(0, 20, 5):
                rates = {number: search.hyperparameters(number)["lr"] for number in range(first, first + 5)}
                for number, lr in rates.items():
                    if lr < 0.01:
                        search.tell(number, lr)
                    elif way == "told":
                        search.tell(number, None)
                    else:
                        search._optuna.tell(number, state=TrialState.FAIL)
                    diverged[way] += first > 0 and lr >= 0.01
    assert diverged["told"] < 0.8 * diverged["passed over"]


def _torn_ask(search: Search) -> None:
    """What a crash of an earlier version left: a trial, asked and without all of its parameters."""
    search._optuna.ask()


TOUCHED: dict[str, Callable[[Search], object]] = {
    "a trial without parameters": _torn_ask,
    "a trial of another range": lambda search: search._optuna.ask({"lr": FloatDistribution(1e-5, 1e-4, log=True)}),
    "a trial that waits": lambda search: search._optuna.enqueue_trial({"lr": 0.5}),
    "a trial that failed": lambda search: search._optuna.tell(search._optuna.ask(), state=TrialState.FAIL),
    "another result": lambda search: search._optuna.tell(2, 0.9),
    "pruned though it was not": lambda search: search._optuna.tell(2, state=TrialState.PRUNED),
}


@pytest.mark.parametrize("case", TOUCHED)
def test_a_search_whose_storage_was_torn_or_touched_asks_and_tells_what_it_would_have(
    case: str, tmp_path: Path, study: Study, caplog: pytest.LogCaptureFixture
) -> None:
    whole, broken = Search(InMemoryStorage(), "name", "stream", _plan(study)), _search(tmp_path, study)
    expected = _run(whole, range(2)) + _run(whole, range(2, 4)) + _run(whole, range(4, 6))
    found = _run(broken, range(2))
    if "result" in case or "pruned" in case:
        broken.hyperparameters(2)
    TOUCHED[case](broken)
    again = _search(tmp_path, study)
    assert _run(again, range(2)) == found
    assert found + _run(again, range(2, 4)) + _run(again, range(4, 6)) == expected
    values = [[trial.value for trial in search._optuna.get_trials()] for search in (whole, again)]
    assert values[0] == values[1]
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("the search of stream")


def test_a_new_trial_is_in_the_storage_whole_or_not_at_all(tmp_path: Path, study: Study) -> None:
    """Before each commit, another connection sees no trial that lacks a parameter."""
    search = _search(tmp_path, study)
    lacking: list[int] = []

    def look(_: object) -> None:
        with closing(sqlite3.connect(tmp_path / "optuna.db")) as database:
            query = "select count(*) from trials where trial_id not in (select trial_id from trial_params)"
            lacking.extend(database.execute(query).fetchone())

    event.listen(Engine, "commit", look)
    try:
        _run(search, range(4))
    finally:
        event.remove(Engine, "commit", look)
    assert len(lacking) > 8
    assert not any(lacking)


def test_a_search_of_ranges_alone_draws_what_optuna_alone_draws(study: Study) -> None:
    """The oracle is Optuna with the distribution written out: so a study of one range keeps the draws that it had."""
    plan = _plan(study, 4)
    (hypercube,) = LatinHypercube(1, rng=generator(plan.seed, "first draws", 4)).random(4).T
    expected = [float(1e-3 * (1e-1 / 1e-3) ** share) for share in hypercube]
    other = optuna.create_study(direction="maximize")
    distribution = optuna.distributions.FloatDistribution(1e-3, 1e-1, log=True)
    for lr in expected:
        other.add_trial(
            optuna.create_trial(params={"lr": lr}, distributions={"lr": distribution}, value=-abs(lr - 0.02))
        )
    search = Search(InMemoryStorage(), "name", "stream", plan)
    assert _run(search, range(4)) == expected
    for number in range(4, 8):
        other.sampler = optuna.samplers.TPESampler(
            seed=integer(plan.seed, "stream", "sampler", number),
            n_startup_trials=4,
            multivariate=True,
            constant_liar=True,
        )
        expected.append(other.ask(fixed_distributions={"lr": distribution}).params["lr"])
    assert [search.hyperparameters(number)["lr"] for number in range(4, 8)] == expected[4:]


MIXED = {
    "lr": Range(1e-3, 1e-1),
    "layers": Range(1, 3, log=False),
    "dropout": Range(0.1, 0.5, log=False, where={"layers": (2, 3)}),
    "optimiser": Choice(["adam", "sgd"]),
}


def _samplers() -> dict[str, Any]:
    """Samplers by name and as objects; made anew, as each process makes them."""
    with catch_warnings():
        simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        own = {
            "TPE": optuna.samplers.TPESampler(n_startup_trials=2),
            "Random": optuna.samplers.RandomSampler(seed=3),
            "NSGA": optuna.samplers.NSGAIISampler(population_size=4),
            "QMC": optuna.samplers.QMCSampler(),
            "fixed": optuna.samplers.PartialFixedSampler({"layers": 2}, optuna.samplers.RandomSampler()),
        }
    return {**{name: name for name in SAMPLERS}, **own}


def _mixed(search: Search, numbers: range) -> list[dict[str, Any]]:
    draws = [search.hyperparameters(number) for number in numbers]
    for number, draw in zip(numbers, draws, strict=True):
        search.tell(number, -abs(draw["lr"] - 0.02) + 0.1 * draw["layers"])  # type: ignore[operator]
    return draws


@pytest.mark.parametrize("name", _samplers())
def test_every_sampler_repeats_and_goes_on_where_it_was_stopped(
    study: Study, changed: Callable[..., Study], name: str
) -> None:
    def plan() -> Plan:
        return _plan(changed(study, nuisance=MIXED, sampler=_samplers()[name]), 4)

    whole, again, broken = InMemoryStorage(), InMemoryStorage(), InMemoryStorage()
    first = [_mixed(Search(whole, "name", "stream", plan()), range(k, k + 4)) for k in (0, 4, 8)]
    search = Search(again, "name", "stream", plan())
    assert [_mixed(search, range(k, k + 4)) for k in (0, 4, 8)] == first
    second = _mixed(Search(broken, "name", "stream", plan()), range(4))
    Search(broken, "name", "stream", plan()).hyperparameters(4)  # asked, and then the process dies
    other = Search(broken, "name", "stream", plan())
    assert [second, *[_mixed(other, range(k, k + 4)) for k in (4, 8)]] == first
    assert len({draw["lr"] for draws in first for draw in draws}) >= (8 if name == "NSGA" else 12)  # it crosses parents
    for draw in [draw for draws in first for draw in draws]:
        assert (draw["layers"] > 1) == ("dropout" in draw)
        assert isinstance(draw["layers"], int)
        assert draw["optimiser"] in ("adam", "sgd")


def test_a_trial_that_was_drawn_in_part_is_drawn_to_its_end(study: Study, changed: Callable[..., Study]) -> None:
    plan, whole, broken = _plan(changed(study, nuisance=MIXED), 4), InMemoryStorage(), InMemoryStorage()
    expected = _mixed(Search(whole, "name", "stream", plan), range(4))
    search = Search(broken, "name", "stream", plan)
    search._optuna.sampler = search._sampler(0)
    search._optuna.ask().suggest_float("lr", 1e-3, 1e-1, log=True)  # and then the process dies
    assert _mixed(Search(broken, "name", "stream", plan), range(4)) == expected


def test_a_search_finds_the_best_of_every_kind_of_factor(study: Study, changed: Callable[..., Study]) -> None:
    """TPE against draws at random, where a category, a whole number and a number decide."""
    reached = {}
    for sampler in ("tpe", "random"):
        search = Search(InMemoryStorage(), "name", "stream", _plan(changed(study, nuisance=MIXED, sampler=sampler), 8))
        scores = []
        for number in range(64):
            draw: dict[str, Any] = search.hyperparameters(number)
            score = (draw["optimiser"] == "sgd") + (draw["layers"] == 2) - abs(math.log10(draw["lr"] / 0.02))
            search.tell(number, score)
            scores.append(score)
        reached[sampler] = sum(scores[32:])
    assert reached["tpe"] > reached["random"] + 8


CURVES = {0: [0.2, 0.5, 0.9], 1: [0.2, 0.5, 0.8], 2: [0.1, 0.1, 0.1], 3: [0.2, 0.6, 0.85]}


def test_pruners_stop_what_they_would_stop() -> None:
    assert stopped_by("none", CURVES) == set()
    assert 2 in stopped_by("median", CURVES)
    assert not {0, 3} & stopped_by("median", CURVES)
    threshold = optuna.pruners.ThresholdPruner(lower=0.15)
    assert stopped_by(threshold, CURVES) == {2}
    halving = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=2)
    assert stopped_by(halving, {number: scores[:2] for number, scores in CURVES.items()}) == {2}
    assert stopped_by("hyperband", CURVES) == stopped_by("hyperband", dict(reversed(CURVES.items())))


def test_a_pruner_object_is_as_it_was_after_it_was_asked() -> None:
    pruner = optuna.pruners.HyperbandPruner()
    before = described(pruner)
    stopped_by(pruner, CURVES)
    assert described(pruner) == before


def test_a_storage_that_cannot_be_opened_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot open the Optuna storage"):
        storage_at(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}")
