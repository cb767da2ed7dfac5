"""Of each setting the best replicate's network is kept, as data: it loads in one line, and loading executes nothing of it."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders.small_study import Silent, carry_out, recorded

import ablations
from ablations.errors import UserError
from ablations.models.variant import Variant
from ablations.models.variants import VARIANTS
from ablations.record.protocol import Ended
from ablations.record.schema import RunRecord
from ablations.record.store import connect
from ablations.run.kept_models import load_model, save_model
from ablations.run.outcomes import best_replicate
from ablations.sqlite import sqlite_url
from ablations.study import Range, Scale, Study
from ablations.study.seeds import generator
from ablations.train.cohort import Cohort, TrainState
from ablations.train.stacked import StackedNetworks
from tasks import TASKS

MakeCohort = Callable[..., Cohort]
README = Path(__file__).parent.parent / "README.md"
RESERVOIR = Variant("reservoir", "reservoir")  # it has weights that are not trained


@pytest.fixture(scope="module")
def small() -> Study:
    from conftest import LSTM, SMALL

    scale = Scale(tasks={"adding": TASKS["adding"](length=4)}, budget=replace(SMALL, replicates=3))
    variants = (LSTM, RESERVOIR)
    return Study(
        name="kept", question="?", variants=variants, baseline="lstm", scales={"smoke": scale},
        nuisance={"lr": Range(1e-3, 1e-1)},
    )  # fmt: skip


@pytest.fixture(scope="module")
def home(small: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder in which the study has been carried out, and which was moved since."""
    old = tmp_path_factory.mktemp("home") / "old"
    old.mkdir()
    carry_out(small, old)
    new = old.with_name("new place")
    shutil.move(old, new)
    return new


def _uri(home: Path) -> str:
    return sqlite_url(home / "mlflow.db")


def _models(home: Path) -> dict[str, int]:
    """run id -> the number of its models."""
    client = connect(_uri(home))
    (experiment,) = (each for each in client.search_experiments() if each.name != "Default")
    runs = client.search_runs([experiment.experiment_id])
    return {
        run.info.run_id: len(run.outputs.model_outputs) for run in runs if run.outputs and run.outputs.model_outputs
    }


def _rank(run: RunRecord) -> tuple[float, float, int]:
    return -run.metrics["final_validation_score"], run.metrics["final_validation_loss"], run.number


@pytest.mark.slow
def test_the_best_replicate_of_each_setting_by_validation_is_kept_and_no_other(small: Study, home: Path) -> None:
    record = recorded(small, home)
    best = {min((r for r in record.replicates if r.setting == s.identity), key=_rank).run_id for s in record.settings}
    assert _models(home) == dict.fromkeys(best, 1)
    size = sum(file.stat().st_size for file in (home / "artifacts").rglob("*/models/**/*") if file.is_file())
    assert 0 < size < 30_000 * len(best)


@pytest.mark.slow
def test_a_kept_network_has_exactly_the_test_score_that_its_run_recorded(small: Study, home: Path) -> None:
    record, task = recorded(small, home), TASKS["adding"](length=4)
    for run in (run for run in record.replicates if run.run_id in _models(home)):
        network = ablations.load(f"runs:/{run.run_id}", _uri(home))
        assert not network.training
        stream = generator(record.plan["seed"], "adding", "replicate", run.number, "test", 4)
        batch = task.at(4).sample(stream, record.plan["budget"]["test"])
        with torch.no_grad():
            outputs = network(batch.inputs, batch.mask)
        assert float(task.loss(outputs, batch)) == pytest.approx(run.metrics["test_loss"], rel=1e-5)
        assert float(task.score(outputs, batch)) == run.metrics["test_score"]


@pytest.mark.slow
def test_a_setting_gives_the_network_of_its_best_replicate(small: Study, home: Path) -> None:
    record = recorded(small, home)
    for setting in record.settings:
        (run,) = (r for r in record.replicates if r.setting == setting.identity and r.run_id in _models(home))
        of_setting, of_run = (ablations.load(f"runs:/{each}", _uri(home)) for each in (setting.run_id, run.run_id))
        assert of_setting.state_dict().keys() == of_run.state_dict().keys()
        assert all(torch.equal(a, b) for a, b in zip(of_setting.parameters(), of_run.parameters(), strict=True))


@pytest.mark.slow
def test_what_the_readme_says_loads_and_scores_a_kept_network(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (block,) = (each for each in blocks if "<run id>" in each)
    monkeypatch.setenv("ABLATIONS_HOME", str(home))
    *_, last = block.strip().splitlines()
    names: dict[str, Any] = {}
    exec(block.replace("<run id>", next(iter(_models(home)))).replace(last, f"    score = {last.strip()}"), names)
    assert -10 < names["score"] <= 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of MLflow, about its own imports
def test_mlflow_loads_a_kept_network_with_its_signature_and_example(small: Study, home: Path) -> None:
    import mlflow

    run_id = next(iter(_models(home)))
    connect(_uri(home))
    mlflow.set_tracking_uri(_uri(home))
    (output,) = mlflow.MlflowClient(_uri(home)).get_run(run_id).outputs.model_outputs
    model = mlflow.pyfunc.load_model(f"models:/{output.model_id}")
    place = mlflow.MlflowClient(_uri(home)).get_logged_model(output.model_id).artifact_location
    example = model.metadata.load_input_example(place)
    assert model.metadata.get_input_schema().input_names() == ["inputs", "mask"]
    network = ablations.load(f"runs:/{run_id}", _uri(home))
    with torch.no_grad():
        own = network(torch.as_tensor(example["inputs"], dtype=torch.float32), torch.as_tensor(example["mask"]))
    typed = {"inputs": np.asarray(example["inputs"], np.float32), "mask": np.asarray(example["mask"], bool)}
    assert model.predict(typed) == pytest.approx(own.numpy())


@pytest.mark.slow
def test_a_run_without_a_model_is_one_line(small: Study, home: Path) -> None:
    kept = _models(home)
    run = next(run for run in recorded(small, home).replicates if run.run_id not in kept)
    for uri in (f"runs:/{run.run_id}", f"runs:/{'0' * 32}", "models:/m-none", str(home / "nowhere")):
        with pytest.raises(UserError) as told:
            ablations.load(uri, _uri(home))
        assert "\n" not in str(told.value)


@pytest.mark.slow
@pytest.mark.parametrize(("keep", "number"), [("all", 6), ("none", 0)])
def test_all_replicates_are_kept_or_none_where_that_is_asked(
    keep: str, number: int, small: Study, tmp_path: Path
) -> None:
    carry_out(small, tmp_path, watch=Silent(), keep_models=keep)
    assert len(_models(tmp_path)) == number


def test_the_best_replicate_is_chosen_by_validation_alone() -> None:
    def end(score: float | None, loss: float | None = 0.5, status: str = "finished") -> Ended:
        return Ended(status, 0.5, loss, "", score)

    assert best_replicate({0: end(0.5), 1: end(0.9), 2: end(0.7)}) == 1
    assert best_replicate({0: end(0.9, 0.2), 1: end(0.9, 0.1), 2: end(0.9, 0.1)}) == 1
    assert best_replicate({0: end(0.9, status="diverged"), 1: end(0.1)}) == 1
    assert best_replicate({0: end(None)}) is None
    assert not {"test_score", "test_loss"} & set(Ended._fields)


@pytest.fixture
def folder(cohort: MakeCohort, tmp_path: Path) -> Path:
    """The files of an untrained LSTM on france."""
    runs = cohort(0.1, 0.2)
    save_model(tmp_path, runs, _start(runs), 1, None)
    return tmp_path


def _start(cohort: Cohort) -> TrainState:
    networks = StackedNetworks(cohort)
    return TrainState(networks.initial, buffers=networks.initial_buffers)


@pytest.mark.parametrize("variant", ["lstm", "bilstm-attention", "bag-of-words", "lstm-chrono"])
@pytest.mark.parametrize("task", ["adding", "france", "dyck", "dates"])
def test_a_network_of_any_kind_answers_as_before(task: str, variant: str, cohort: MakeCohort, tmp_path: Path) -> None:
    if variant == "bag-of-words" and task == "dates":
        pytest.skip("it has no decoder")
    runs = cohort(0.1, 0.2, task=task, variant=VARIANTS[variant])
    state = _start(runs)
    save_model(tmp_path, runs, state, 1, None)
    batch = runs.setting.task.sample(np.random.default_rng(0), 5)
    networks = StackedNetworks(runs.only([1]))
    stacked = type(batch)(*(part.unsqueeze(0) for part in batch))
    rows = state.rows([1])
    with torch.no_grad():
        expected = networks.answers(rows.theta, rows.buffers, stacked)[0]
        answers = load_model(tmp_path)(batch.inputs, batch.mask)
    if runs.setting.task.spec.symbols:  # without a number of symbols it writes as many as there may be
        assert answers.shape[1] == runs.setting.task.spec.symbols
        answers = answers[:, : expected.shape[1]]
    assert torch.allclose(answers, expected, atol=1e-6)


def _changed(folder: Path, **changes: Any) -> Path:
    file = folder / "model.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    return folder


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"flags": {"cell": "rnn-leaky"}, "study_file": "/x/own_cell.py"},
            r"'rnn-leaky', .*`import own_cell` first, from its folder /x$",
        ),
        ({"model": "normalised"}, "'normalised', which is not of this package: import the file that defines it first"),
        ({"equations": ["h_t = x_t"]}, "trained with other equations of the cell lstm"),
        ({"hidden": 6}, "do not fit"),
        ({"version": 2}, "is of version 2"),
        ({"more": 1}, "holds no model that can be read"),
    ],
)
def test_a_network_that_cannot_be_rebuilt_is_one_line(changes: dict[str, Any], message: str, folder: Path) -> None:
    assert load_model(folder)
    with pytest.raises(UserError, match=message) as told:
        load_model(_changed(folder, **changes))
    assert "\n" not in str(told.value)


class Bomb:
    """A pickle of this calls what a pickle should not call."""

    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("the pickle was executed",)


def test_nothing_in_a_models_files_is_executed(folder: Path) -> None:
    (folder / "MLmodel").write_text('{"flavors": {"python_function": {"loader_module": "antigravity"}}}')
    (folder / "code.py").write_text("raise SystemExit('the code was executed')")
    assert load_model(folder)
    bomb = np.empty(1, dtype=object)
    bomb[0] = Bomb()
    np.savez(folder / "weights.npz", **{"head.weight": bomb})
    with pytest.raises(UserError, match="holds no model that can be read"):
        load_model(folder)


@pytest.mark.parametrize("name", ["weights.npz", "model.json"])
def test_torn_files_are_one_line(name: str, folder: Path) -> None:
    for content in (b"", b"PK\x03\x04torn", (folder / name).read_bytes()[:100]):
        (folder / name).write_bytes(content)
        with pytest.raises(UserError, match="holds no model that can be read"):
            load_model(folder)
