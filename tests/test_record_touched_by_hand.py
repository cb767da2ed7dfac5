"""A store that people change in the MLflow UI: doubles count once, deleted and foreign things not at all."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from builders.small_study import empty_store
from builders.written_record import counts, one_setting, setting_of, write
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, RunTag

from ablations.errors import UserError
from ablations.record.reader import read
from ablations.record.schema import PARENT, RecordError, StudyRecord
from ablations.record.ui import pages
from ablations.record.writer import MlflowRecorder
from ablations.study import Plan, Study

WHOLE = (1, 2, 3)


@dataclass
class Store:
    """A record of one setting in MLflow, and a person's hands on it."""

    plan: Plan
    uri: str
    folder: Path

    def __post_init__(self) -> None:
        write(self.recorder(), setting_of(self.plan))
        self.client = MlflowClient(self.uri)

    def recorder(self) -> MlflowRecorder:
        return MlflowRecorder(self.uri, self.plan, self.folder)

    def carry_on(self) -> int:
        """How many runs are trained when the study is carried out again."""
        return write(self.recorder(), setting_of(self.plan))

    def read(self) -> StudyRecord:
        return read(self.uri, self.plan.name, self.plan.scale)

    @property
    def experiment_id(self) -> str:
        return self.client.get_experiment_by_name(f"{self.plan.name}-{self.plan.scale}").experiment_id

    def runs(self) -> list[Run]:
        return list(self.client.search_runs([self.experiment_id], order_by=["start_time ASC"]))

    @property
    def parent(self) -> Run:
        return next(run for run in self.runs() if PARENT not in run.data.tags)

    def double(self, run: Run, parent: str | None = None) -> Run:
        """Another run with the same tags, as a second writer leaves it, with another score."""
        tags = run.data.tags | ({PARENT: parent} if parent else {})
        run_id = self.client.create_run(self.experiment_id, tags=tags).info.run_id
        params = [Param(key, value) for key, value in run.data.params.items()]
        metrics = [Metric(key, 0.001, 0, 0) for key in run.data.metrics]
        self.client.log_batch(run_id, metrics=metrics, params=params)
        self.client.set_terminated(run_id, run.info.status)
        return self.client.get_run(run_id)


@pytest.fixture
def store(study: Study, tmp_path: Path) -> Store:
    return Store(one_setting(study), empty_store(tmp_path), tmp_path)


def test_runs_that_two_writers_wrote_below_one_parent_count_once(store: Store) -> None:
    before = store.read()
    for run in store.runs():
        if PARENT in run.data.tags:
            store.double(run)
    assert store.recorder().count_existing() == (5, 0)
    assert store.read() == before
    assert store.carry_on() == 0


def test_runs_that_two_writers_wrote_below_two_parents_count_once(store: Store) -> None:
    before, parent = store.read(), store.parent
    second = store.double(parent).info.run_id
    for run in store.runs():
        if run.data.tags.get(PARENT) == parent.info.run_id:
            store.double(run, second)
    assert store.recorder().count_existing() == (5, 0)
    assert store.read() == before
    assert store.carry_on() == 0
    assert store.read() == before


def test_of_two_parents_the_one_whose_search_is_over_is_read(store: Store) -> None:
    second = store.double(store.parent).info.run_id
    store.client.delete_tag(store.parent.info.run_id, "best_trial")
    assert store.read().settings[0].run_id == second
    assert counts(store.read()) == WHOLE


def test_a_run_that_is_half_written_counts_only_once_it_was_written_anew(store: Store) -> None:
    replicate = store.runs()[-1]
    store.client.update_run(replicate.info.run_id, status="RUNNING")
    assert counts(store.read()) == (1, 2, 2)
    assert store.carry_on() == 1
    assert counts(store.read()) == WHOLE
    assert store.client.get_run(replicate.info.run_id).info.status == "KILLED"


def test_a_setting_that_was_deleted_is_carried_out_again_and_may_be_restored(store: Store) -> None:
    deleted = store.parent.info.run_id
    store.client.delete_run(deleted)
    assert counts(store.read()) == (0, 0, 0)
    assert store.recorder().count_existing() == (0, 0)
    assert store.carry_on() == 5
    assert counts(store.read()) == WHOLE
    store.client.restore_run(deleted)
    assert counts(store.read()) == WHOLE
    assert store.recorder().count_existing() == (5, 0)
    assert store.carry_on() == 0
    assert counts(store.read()) == WHOLE


def test_a_run_that_was_deleted_is_carried_out_again(store: Store) -> None:
    store.client.delete_run(store.runs()[-1].info.run_id)
    assert counts(store.read()) == (1, 2, 2)
    assert store.carry_on() == 1
    assert counts(store.read()) == WHOLE


def test_an_experiment_that_was_deleted_is_one_line_that_says_how_to_get_it_back(store: Store) -> None:
    store.client.delete_experiment(store.experiment_id)
    for opened in (store.read, store.recorder):
        with pytest.raises(
            UserError, match=r"was deleted in MLflow.*mlflow experiments restore -x 1.*mlflow gc"
        ) as told:
            opened()
        assert "\n" not in str(told.value)


def test_what_others_put_into_the_store_is_passed_over(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    before, links = store.read(), pages(store.client)
    for tags in ({}, {PARENT: store.parent.info.run_id}, {PARENT: "0" * 32, "kind": "trial"}):
        store.client.create_run(store.experiment_id, tags=tags)
    for number, plan in enumerate(("go fishing", '{"days": 3}', "[1]", "")):
        store.client.create_experiment(f"foreign-{number}", tags={"plan": plan, "plan_identity": "x" * number})
    store.client.create_experiment("foreign", tags={"plan": '{"tasks": ["go fishing"]}'})
    assert store.read() == before
    assert store.recorder().count_existing() == (5, 0)
    assert pages(store.client) == links
    assert not caplog.records
    unfinished = [run for run in store.runs() if run.info.status == "RUNNING"]
    assert len(unfinished) == 3  # nobody else's run is ended


NONSENSE: dict[str, tuple[Callable[[Store], Run], str, str, tuple[int, int, int]]] = {
    "number": (lambda store: store.runs()[-1], "number", "many", (1, 2, 2)),
    "negative number": (lambda store: store.runs()[-1], "number", "-1", (1, 2, 2)),
    "status": (lambda store: store.runs()[-1], "status", "splendid", (1, 2, 2)),
    "kind of a child": (lambda store: store.runs()[-1], "kind", "repli", (1, 2, 2)),
    "setting": (lambda store: store.parent, "setting", '{"identity": 3', (0, 2, 0)),
    "half a setting": (lambda store: store.parent, "setting", '{"task": "adding"}', (0, 2, 0)),
    "another setting": (lambda store: store.parent, "setting", '{"identity": "3"}', (0, 0, 0)),
    "best trial": (lambda store: store.parent, "best_trial", "the third", (0, 2, 0)),
    "kind of a parent": (lambda store: store.parent, "kind", "settings", (0, 0, 0)),
    "identity of a parent": (lambda store: store.parent, "identity", "x", (0, 0, 0)),
}


@pytest.mark.parametrize("case", NONSENSE)
def test_tags_that_make_no_sense_are_a_warning_and_mended_by_the_next_run(
    case: str, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    choose, tag, value, left = NONSENSE[case]
    run_id = choose(store).info.run_id
    store.client.set_tag(run_id, tag, value)
    with caplog.at_level(logging.WARNING):
        assert counts(store.read()) == left
    assert f"run {run_id}" in caplog.text
    assert "is ignored" in caplog.text
    store.carry_on()
    assert counts(store.read()) == WHOLE


@pytest.mark.parametrize(
    "tag",
    [
        "[1, 2]",
        "{}",
        '{"source": "ab", "answer": "c", "weights": [[0.5, 0.5]]}',  # the answer's end has none
        '{"source": "ab", "answer": "c", "weights": [[0.5, 0.5], [1.0]]}',
        '{"source": "ab", "answer": "c", "weights": [[0.5, 0.5], [1.5, 0.5]]}',
        '{"source": "ab", "answer": "c", "weights": [[0.5, 0.5], [NaN, 0.5]]}',
        '{"source": "ab", "answer": "c", "weights": [[0.5, 0.5], ["0.5", 0.5]]}',
        '{"source": 2, "answer": "c", "weights": [[0.5, 0.5], [0.5, 0.5]]}',
    ],
)
def test_attention_that_makes_no_sense_is_left_out_with_a_warning(
    tag: str, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    whole = {"source": "ab", "answer": "c", "weights": [[0.5, 0.5], [1.0, 0.0]]}
    run_id = store.read().replicates[0].run_id
    store.client.set_tag(run_id, "attention", json.dumps(whole))
    assert store.read().replicates[0].mechanisms == {"attention": whole}
    store.client.set_tag(run_id, "attention", tag)
    with caplog.at_level(logging.WARNING):
        assert store.read().replicates[0].mechanisms == {}
    assert f"attention of run {run_id}" in caplog.text
    assert counts(store.read()) == WHOLE


def test_a_run_whose_identity_was_edited_counts_once_still(store: Store) -> None:
    replicate = store.runs()[-1]
    store.client.set_tag(replicate.info.run_id, "identity", "x")
    assert counts(store.read()) == WHOLE
    assert store.carry_on() == 1
    assert counts(store.read()) == WHOLE


@pytest.mark.parametrize("tag", ["plan", "provenance"])
def test_an_experiment_whose_tags_make_no_sense_is_one_line_and_mended_by_the_next_run(store: Store, tag: str) -> None:
    for value in ("nonsense", '{"name": "half of it'):
        store.client.set_experiment_tag(store.experiment_id, tag, value)
        with pytest.raises(RecordError, match=f"the tag '{tag}' of the experiment small-smoke was changed"):
            store.read()
    assert store.carry_on() == 0
    assert counts(store.read()) == WHOLE


def test_a_plan_without_all_of_its_parts_is_one_line(store: Store) -> None:
    store.client.set_experiment_tag(store.experiment_id, "plan", '{"tasks": {}}')
    with pytest.raises(RecordError, match="was changed"):
        store.read()


def test_tags_that_a_person_adds_change_nothing(store: Store) -> None:
    before = store.read()
    for run in store.runs():
        store.client.log_batch(run.info.run_id, tags=[RunTag("reviewed by", "me"), RunTag("error", "none")])
    assert store.read() == before


OURS = ("kind", "identity", "status", "number", "plan", "setting", "best_trial", PARENT)
"""The tags that reading a record depends on."""
VALUES = (None, "", "nonsense", "0", "7", "trial", "replicate", "setting")
"""What a person may make of a tag; None: it is removed."""
KNOWN_BY_ITS_COUNT = {("plan", value) for value in VALUES} | {("number", "7"), ("number", "0")}
"""What may as well be of an earlier plan, or of one with more trials: `ablate status` shows that runs are missing."""


def _touches(store: Store) -> Iterator[tuple[Run, str, str | None]]:
    runs = {run.data.tags["kind"]: run for run in store.runs()}  # one of each kind
    for run in runs.values():
        for tag in OURS:
            for value in VALUES:
                if tag in run.data.tags and run.data.tags[tag] != value:
                    yield run, tag, value


@pytest.mark.slow
@pytest.mark.long
def test_no_tag_can_be_touched_without_a_word_or_for_good(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """Each tag removed and changed: the record is as it was, or a warning or one line says what is not; then it is mended."""
    touched = 0
    for run, tag, value in _touches(store):
        caplog.clear()
        if value is None:
            store.client.delete_tag(run.info.run_id, tag)
        else:
            store.client.set_tag(run.info.run_id, tag, value)
        is_whole = counts(store.read()) == WHOLE
        assert is_whole or caplog.messages or (tag, value) in KNOWN_BY_ITS_COUNT, (run.info.run_name, tag, value)
        store.carry_on()
        assert counts(store.read()) == WHOLE, (run.info.run_name, tag, value)
        store.client.set_tag(run.info.run_id, tag, run.data.tags[tag])
        touched += 1
    assert touched > 60
