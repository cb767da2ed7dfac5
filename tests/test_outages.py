"""A server that does not answer for some minutes costs nothing; one that stays away is one line."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from builders.crashes import carry_out, doubles, store, tables_hash
from numpy.random import default_rng
from optuna.storages import RDBStorage
from requests.exceptions import ConnectionError as NoAnswer

from ablations.errors import UserError
from ablations.outages import (
    PATIENCE,
    SECONDS,
    Outage,
    check_apart,
    check_database,
    is_outage,
    ride_out,
    without_patience,
)
from ablations.record.server import PatientClient
from ablations.record.store import MlflowClient, connect


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The pauses so far. Time passes by them alone."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    monkeypatch.setattr(time, "monotonic", lambda: 1.0 + sum(pauses))
    return pauses


class Server:
    """Answers after some failures."""

    def __init__(self, failures: float) -> None:
        self.failures, self.calls = failures, 0

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.failures:
            raise NoAnswer("refused")
        return "answer"


def test_an_outage_is_ridden_out_and_told_once_at_each_end(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    assert ride_out("the server http://a:b@h", server := Server(12)) == "answer"
    assert server.calls == 13
    begin, end = caplog.messages
    assert begin.startswith("the server http://a:***@h does not answer; results are kept here")
    assert end == f"the server http://a:***@h answers again after {sum(clock):.0f} s; nothing was lost"


def test_pauses_grow_and_stay_below_a_limit(clock: list[float]) -> None:
    ride_out("the server", Server(12))
    assert clock[:3] == [0.2, 0.4, 0.8]
    assert clock == sorted(clock)
    assert max(clock) == 10


def test_a_connection_that_has_grown_stale_is_not_worth_a_word(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    ride_out("the server", Server(1))
    assert caplog.messages == []


def test_an_outage_that_lasts_is_one_line_and_not_waited_for_twice(clock: list[float]) -> None:
    with pytest.raises(Outage, match=r"has not answered for 300 s \(refused\); what is finished is kept") as error:
        ride_out("the server", lambda: ride_out("the server", Server(float("inf"))))
    assert "\n" not in str(error.value)
    assert sum(clock) == pytest.approx(SECONDS)


def test_without_patience_nothing_is_waited_for(clock: list[float]) -> None:
    with pytest.raises(Outage, match="the server does not answer"), without_patience():
        ride_out("the server", Server(1))
    assert not clock


def test_how_long_it_is_waited_for_can_be_said(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PATIENCE, "7")
    with pytest.raises(Outage, match="for 7 s"):
        ride_out("the server", Server(float("inf")))
    for wrong in ("-1", "nan", "inf", "long"):
        monkeypatch.setenv(PATIENCE, wrong)
        with pytest.raises(UserError, match=f"{PATIENCE} must be a number of seconds"):
            ride_out("the server", Server(1))


def test_any_other_error_is_an_answer(clock: list[float]) -> None:
    def wrong() -> None:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        ride_out("the server", wrong)
    assert not clock
    assert not is_outage(FileNotFoundError("a file"))


def test_two_libraries_in_one_database_are_one_line() -> None:
    with pytest.raises(UserError, match="each needs one of its own"):
        check_apart("postgresql://a:b@h/runs", "postgresql+psycopg2://c:d@h/runs")
    check_apart("postgresql://a:b@h/runs", "postgresql://a:b@h/searches")
    check_apart("http://h/runs", "postgresql://a:b@h/runs")


def test_without_its_driver_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    advice = r"ada:\*\*\*@h/d: it needs the package psycopg2; first: pip install 'recurrent-ablations\[servers\]'$"
    for url in ("postgresql://ada:secret@h/d", "postgresql+psycopg2://ada:secret@h/d"):
        with pytest.raises(UserError, match=advice):
            check_database("the Optuna storage", url)


@pytest.mark.parametrize(
    "url", ["sqlite:///runs.db", "sqlite://", "/some/folder", "http://h:1", "file:///a", "databricks"]
)
def test_what_is_no_database_on_a_server_is_left_to_its_library(url: str) -> None:
    check_database("the MLflow store", url)


@pytest.mark.parametrize("url", ["postgresql://ada:a@b@h/d", "foo://a:b@c/d"])
def test_a_uri_that_cannot_be_meant_shows_no_password(url: str) -> None:
    with pytest.raises(UserError) as error:
        check_database("the Optuna storage", url)
    assert "a@b" not in str(error.value)
    assert "a:b" not in str(error.value)


class Losses:
    """Loses every sixth request on its way or so, and every sixth answer."""

    def __init__(self, seed: int) -> None:
        self._rng, self.count = default_rng(seed), 0

    def of(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            fate = self._rng.random()
            self.count += fate < 1 / 3
            if fate < 1 / 6:
                raise NoAnswer("the request was lost")
            result = method(*arguments, **more)
            if fate < 1 / 3:
                raise NoAnswer("the answer was lost")
            return result

        return call


class LossyClient:
    """An MLflow client with losses."""

    def __init__(self, client: MlflowClient, losses: Losses) -> None:
        self._client, self._losses = client, losses

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._client, name)
        return self._losses.of(value) if callable(value) else value


class LossyStorage(RDBStorage):
    """An Optuna storage with losses."""

    losses: Losses

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        return LossyStorage.losses.of(value) if name in REQUESTS else value


REQUESTS = ("create_new_trial", "set_trial_state_values", "create_new_study", "delete_study", "get_study_id_from_name",
            "get_study_directions", "_get_trials")  # fmt: skip


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The hash of the tables of a small study."""
    home = tmp_path_factory.mktemp("undisturbed")
    carry_out(home)
    return tables_hash(store(home))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_lost_requests_and_answers_of_mlflow_change_nothing(
    tmp_path: Path, undisturbed: str, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    losses = Losses(seed)
    lossy = lambda uri, create: PatientClient(LossyClient(connect(uri, create), losses))  # noqa: E731
    monkeypatch.setattr("ablations.record.writer.connect", lossy)
    monkeypatch.setattr("ablations.outages.FIRST_PAUSE", 0.0)
    carry_out(tmp_path)
    assert losses.count > 20
    assert tables_hash(store(tmp_path)) == undisturbed
    assert not doubles(store(tmp_path))
    client = MlflowClient(store(tmp_path))
    experiment = client.get_experiment_by_name("small-smoke")
    assert experiment
    assert {run.info.status for run in client.search_runs([experiment.experiment_id])} == {"FINISHED"}
    assert len(client.search_logged_models([experiment.experiment_id])) == 1


@pytest.mark.slow
def test_lost_requests_and_answers_of_optuna_change_nothing(
    tmp_path: Path, undisturbed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    LossyStorage.losses = losses = Losses(0)
    monkeypatch.setattr("ablations.search.is_on_server", bool)
    monkeypatch.setattr("ablations.outages.FIRST_PAUSE", 0.0)
    monkeypatch.setattr("builders.crashes.storage_at", LossyStorage)
    carry_out(tmp_path)
    assert losses.count > 5
    assert tables_hash(store(tmp_path)) == undisturbed


@pytest.mark.slow
def test_a_dead_mlflow_server_at_the_start_is_one_line_in_seconds() -> None:
    began = time.monotonic()
    with pytest.raises(UserError, match=r"^cannot open the MLflow store http://ada:\*\*\*@127.0.0.1:1: .*refused$"):
        connect("http://ada:secret@127.0.0.1:1")
    assert time.monotonic() - began < 15
    assert "MLFLOW_HTTP_REQUEST_TIMEOUT" not in os.environ
