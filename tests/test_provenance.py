"""The commit that is recorded is that of the code that ran, and of nothing else."""

import importlib.metadata
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ablations.run.provenance import commit, of_study_file, provenance


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Makes a repository with one committed file."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    if shutil.which("git") is None:
        pytest.skip("needs git")

    def make(name: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "own.py").write_text(name)
        run(folder, "init", "-q")
        run(folder, "add", "own.py")
        run(folder, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", name)
        return folder

    return make


def run(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_the_commit_of_a_tracked_file_is_known_and_changes_are_marked(repository: Callable[[str], Path]) -> None:
    file = repository("a") / "own.py"
    assert commit(file) == run(file.parent, "rev-parse", "HEAD")
    file.write_text("changed")
    assert commit(file) == run(file.parent, "rev-parse", "HEAD") + " with changes"


def test_git_variables_name_no_other_repository(
    repository: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    own, other = repository("a"), repository("b")
    expected = run(own, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert commit(own / "own.py") == expected


def test_a_package_installed_in_someones_repository_has_no_commit(repository: Callable[[str], Path]) -> None:
    installed = repository("a") / ".venv" / "site-packages" / "own.py"
    installed.parent.mkdir(parents=True)
    installed.touch()
    assert commit(installed) == "unknown"


def test_outside_of_a_repository_there_is_no_commit(tmp_path: Path) -> None:
    (tmp_path / "own.py").touch()
    assert commit(tmp_path / "own.py") == "unknown"


def test_a_library_that_is_not_there_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name == "numba":
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr("ablations.run.provenance.version", version)
    assert provenance("ablate")["versions"]["numba"] == "absent"
    assert provenance("ablate")["versions"]["torch"] == "1.0"


def test_of_a_users_file_its_text_and_its_own_commit_are_kept(
    repository: Callable[[str], Path], tmp_path: Path
) -> None:
    file = repository("a") / "own.py"
    facts = {"study_file": str(file), "study_commit": run(file.parent, "rev-parse", "HEAD"), "study_source": "a"}
    assert of_study_file(str(file)) == facts
    (alone := tmp_path / "alone.py").write_text("é = 1")
    assert of_study_file(str(alone)) == {
        "study_file": str(alone), "study_commit": "unknown", "study_source": "é = 1",
    }  # fmt: skip


def test_the_version_of_this_package_is_among_those_that_are_kept() -> None:
    versions = provenance("ablate run")["versions"]
    assert versions["recurrent-ablations"] == importlib.metadata.version("recurrent-ablations")
