"""A checkpoint is data: what cannot be read is set aside with a warning, and its work is done again."""

import pickle
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import torch
from builders.small_study import Silent, carry_out, numbers

from ablations.run.checkpoints import VERSION, Checkpoints, _checked, _signed
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
    content = (tmp_path / "a.pt").read_bytes()
    with zipfile.ZipFile(BytesIO(content)) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("data.pkl"))
        assert b"ablations" not in archive.read(name)


def resigned(**changes: Any) -> Callable[[bytes, Path], object]:
    """Other content under a right checksum."""
    return lambda content, path: path.write_bytes(_signed({**_checked(content), **changes}))


def repaired(**changes: Any) -> Callable[[bytes, Path], object]:
    """Another cohort, or another part of one, under a right checksum."""

    def damage(content: bytes, path: Path) -> None:
        whole = _checked(content)
        (part,) = whole["cohorts"]
        path.write_bytes(_signed({**whole, "cohorts": [{**part, **changes}]}))

    return damage


def of_another_budget(content: bytes, path: Path) -> None:
    trained_on = _checked(content)["cohorts"][0]["trained_on"]
    budget = {**trained_on["budget"], "steps": "16"}
    repaired(trained_on={**trained_on, "budget": budget})(content, path)


def without_a_run(content: bytes, path: Path) -> None:
    repaired(runs=_checked(content)["cohorts"][0]["runs"][:1])(content, path)


def flip(place: float) -> Callable[[bytes, Path], object]:
    """One bit changed, at a share of the file."""

    def damage(content: bytes, path: Path) -> None:
        changed = bytearray(content)
        changed[int(place * len(content))] ^= 4
        path.write_bytes(changed)

    return damage


def a_folder(content: bytes, path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "file").touch()


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
    "a pickle with code under a checksum": lambda content, path: path.write_bytes(_signed(Evil())),
    "other data": lambda content, path: path.write_bytes(_signed([1, 2])),
    "of version 1": lambda content, path: torch.save({**_checked(content), "version": 1}, path),
    "another version": resigned(version=VERSION + 1),
    "another key": resigned(key="b"),
    "another setting": repaired(trained_on={}),
    "another budget": of_another_budget,
    "a run less": without_a_run,
    "no run": repaired(runs=[]),
    "no cohort": resigned(cohorts=[]),
    "a folder": a_folder,
    **{f"one bit at {share:.0%}": flip(share) for share in (0, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999)},
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


def test_what_is_set_aside_takes_the_place_of_what_was_before(state: CohortState, tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    for damage in (a_folder, a_folder, flip(0.5), a_folder):
        checkpoints.save("a", (state,))
        damage((tmp_path / "a.pt").read_bytes(), tmp_path / "a.pt")
        assert checkpoints.load("a", state.cohort) is None
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.unreadable"]


def test_a_checkpoint_of_another_setting_under_this_ones_name_is_not_taken(
    state: CohortState, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save("a", (state,))
    checkpoints.save("b", (state,))
    (tmp_path / "b.pt").replace(tmp_path / "a.pt")
    assert checkpoints.load("a", state.cohort) is None
    checkpoints.save("a", (state,))
    others = [
        replace(state.cohort, seed=1),
        replace(state.cohort, optimiser="sgd"),
        replace(state.cohort, budget=replace(state.cohort.budget, steps=16)),
        replace(state.cohort, setting=replace(state.cohort.setting, size=6)),
    ]
    for other in others:
        shutil.copy(tmp_path / "a.pt", tmp_path / "kept")
        assert checkpoints.load("a", other) is None
        (tmp_path / "kept").replace(tmp_path / "a.pt")
    more_runs = replace(state.cohort, budget=replace(state.cohort.budget, replicates=9))
    assert checkpoints.load("a", more_runs) is not None
    assert len(caplog.messages) == 1 + len(others)


def test_what_was_half_written_is_deleted(state: CohortState, tmp_path: Path) -> None:
    Checkpoints(tmp_path).save("a", (state,))
    (tmp_path / "a.new").write_bytes(b"half")
    assert Checkpoints(tmp_path).load("a", state.cohort) is not None
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.pt"]


def test_more_replicates_after_an_interruption_train_to_their_end(study: Study, tmp_path: Path) -> None:
    """The interrupted cohort has fewer runs than are missing: it ends first, and the others are trained after it."""
    scale, (*_, variant) = study.scales["smoke"], study.variants
    scale = replace(scale, tasks={"adding": scale.tasks["adding"]})
    study = replace(study, scales={"smoke": scale}, variants=(variant,), baseline=variant.name)
    more = study.with_changes("smoke", {"replicates": scale.budget.replicates + 2})
    searched = scale.budget.trials // scale.budget.trials_per_round * scale.budget.segments
    with pytest.raises(KeyboardInterrupt):
        carry_out(study, tmp_path / "stopped", watch=Silent(stop_after=searched + 1))
    assert list((tmp_path / "stopped").glob("**/*-replicate.pt"))
    carry_out(more, tmp_path / "stopped")
    carry_out(more, tmp_path / "whole")
    assert numbers(more, tmp_path / "stopped") == numbers(more, tmp_path / "whole")


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
