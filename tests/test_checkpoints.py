"""A checkpoint is data: what cannot be read is set aside with a warning, and its work is done again."""

import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from builders.small_study import Silent, carry_out, numbers

from ablations.run.checkpoints import VERSION, Checkpoints
from ablations.run.cohort_runner import CohortState, States, initial_state, train
from ablations.study import Study
from ablations.train.cohort import Cohort, Run


@pytest.fixture
def state(cohort: Callable[..., Cohort]) -> CohortState:
    """A cohort after one segment."""
    states: list[States] = []
    steps = train((initial_state(cohort(0.01, 0.02)),), states.append)
    steps.send(next(steps)())
    return states[0][0]


def with_runs_of_another(state: CohortState) -> Cohort:
    return state.cohort.with_runs((Run("trial", 9, 9, 1.0, 1.0, 1.0),))


def test_a_state_is_loaded_as_it_was_saved(state: CohortState, tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save("a", (state,))
    states = checkpoints.load("a", with_runs_of_another(state))
    assert states is not None
    (loaded,) = states
    assert loaded.train_state is not None
    assert state.train_state is not None
    assert replace(loaded, train_state=None) == replace(state, train_state=None)
    assert torch.equal(loaded.train_state.theta, state.train_state.theta)
    assert loaded.train_state.moments.keys() == state.train_state.moments.keys() == {"mean", "square"}
    assert loaded.train_state.step == state.train_state.step == 4
    checkpoints.drop("a")
    assert checkpoints.load("a", state.cohort) is None
    assert not list(tmp_path.iterdir())


def test_a_file_holds_no_code(state: CohortState, tmp_path: Path) -> None:
    Checkpoints(tmp_path).save("a", (state,))
    with zipfile.ZipFile(tmp_path / "a.pt") as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("data.pkl"))
        assert b"ablations" not in archive.read(name)


def other_version(content: bytes, path: Path) -> None:
    torch.save({**torch.load(path), "version": VERSION + 1}, path)


def of_another_key(content: bytes, path: Path) -> None:
    torch.save({**torch.load(path), "key": "b"}, path)


def without_a_run(content: bytes, path: Path) -> None:
    state = torch.load(path)
    (part,) = state["cohorts"]
    torch.save({**state, "cohorts": [{**part, "runs": part["runs"][:1]}]}, path)


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return exec, ("raise SystemExit('code of a checkpoint ran')",)


DAMAGES: dict[str, Callable[[bytes, Path], object]] = {
    "empty": lambda content, path: path.write_bytes(b""),
    "one byte": lambda content, path: path.write_bytes(content[:1]),
    "a head": lambda content, path: path.write_bytes(content[:100]),
    "half": lambda content, path: path.write_bytes(content[: len(content) // 2]),
    "all but a byte": lambda content, path: path.write_bytes(content[:-1]),
    "all but the first byte": lambda content, path: path.write_bytes(content[1:]),
    "zeros": lambda content, path: path.write_bytes(bytes(len(content))),
    "text": lambda content, path: path.write_text("nothing"),
    "a pickle of today's predecessor": lambda content, path: path.write_bytes(pickle.dumps({"course": 1})),
    "a pickle with code": lambda content, path: path.write_bytes(pickle.dumps(Evil())),
    "other data": lambda content, path: torch.save([1, 2], path),
    "another version": other_version,
    "another key": of_another_key,
    "a run less": without_a_run,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_cannot_be_read_is_set_aside_with_one_warning(
    state: CohortState, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    checkpoints, path = Checkpoints(tmp_path), tmp_path / "a.pt"
    checkpoints.save("a", (state,))
    DAMAGES[damage](path.read_bytes(), path)
    assert checkpoints.load("a", state.cohort) is None
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.unreadable"]
    assert len(caplog.messages) == 1
    assert "a checkpoint cannot be read, and its work is done again" in caplog.messages[0]
    assert "\n" not in caplog.messages[0]
    assert checkpoints.load("a", state.cohort) is None
    assert len(caplog.messages) == 1


def test_a_study_with_torn_checkpoints_gives_the_same_numbers(
    study: Study, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tasks = {"adding": study.scales["smoke"].tasks["adding"]}
    study = replace(study, scales={"smoke": replace(study.scales["smoke"], tasks=tasks)})
    carry_out(study, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        carry_out(study, tmp_path / "torn", watch=Silent(stop_after=3))
    files = list((tmp_path / "torn").glob("**/*.pt"))
    assert files
    for number, file in enumerate(files):
        content = file.read_bytes()
        file.write_bytes(content[: len(content) * number // 2])  # nothing of the first, half of the second
    carry_out(study, tmp_path / "torn")
    assert len(caplog.messages) == len(files)
    assert numbers(study, tmp_path / "torn") == numbers(study, tmp_path / "whole")
