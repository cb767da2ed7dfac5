"""The wheel, installed as a user would: outside the repository, with the newest libraries, on each Python, without a home."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PARTS = ("tasks", "ablations", "reports", "pyproject.toml", "README.md", "LICENSE")
TORCH = "torch==2.13.0"
"""The one version that is pinned: a build for the CPU alone, where there is one, spares gigabytes."""

OUTSIDE = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
"""The environment in which nothing is found but what is installed."""

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]


def said(command: Sequence[str | Path], cwd: Path, environment: Mapping[str, str] = OUTSIDE) -> str:
    """What a command says; it has to succeed."""
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing of an earlier build gets into it."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, source / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, source)
    said([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, source], folder)
    (file,) = folder.glob("recurrent_ablations-*.whl")
    return file


def interpreter(version: str) -> Path:
    """A Python of that version; the test is skipped where there is none."""
    found = [*Path.home().glob(f".pyenv/versions/{version}.*/bin/python"), shutil.which(f"python{version}")]
    for each in filter(None, found):
        asked = [each, "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:
            return Path(each)
    pytest.skip(f"there is no Python {version} on this machine")


def venv(version: str, folder: Path) -> Path:
    """The programs of a fresh virtual environment; the test is skipped where it could only have torch with CUDA."""
    said([interpreter(version), "-m", "venv", folder], folder.parent)
    programs = folder / "bin"
    asked = [programs / "pip", "install", "--quiet", "--dry-run", "--no-deps", f"{TORCH}+cpu"]
    if subprocess.run(asked, env=OUTSIDE, capture_output=True, check=False).returncode:
        pytest.skip(f"there is no {TORCH} for Python {version} here that needs no CUDA")
    return programs


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_the_wheel_installs_and_runs_outside_the_repository_without_a_home(
    version: str, wheel: Path, tmp_path: Path
) -> None:
    programs = venv(version, tmp_path / "venv")
    said([programs / "pip", "install", "--quiet", f"{TORCH}+cpu", wheel], tmp_path)

    (tmp_path / "home").touch()  # a file in place of the home: not even root can write into it
    (tmp_path / "temporary").mkdir()
    place = {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "temporary"), "PATH": os.environ["PATH"]}
    work = tmp_path / "work"
    work.mkdir()

    def ablate(*words: str) -> str:
        return said([programs / "ablate", *words], work, place)

    ablate("new", "cell", "my_cell")
    text = ablate("run", "my_cell.py", "--scale", "smoke", "--workers", "2")
    assert "my_cell is complete at scale smoke" in text
    assert text.count("compiled cells cannot be kept in") == 1
    assert str(tmp_path / "temporary") in text
    assert "report.html" in ablate("report", "my_cell.py", "--scale", "smoke")
    folder = work / "results" / "reports" / "my_cell-smoke"
    assert "my_cell" in (folder / "report.html").read_text(encoding="utf-8")
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")
    assert str(ROOT) not in (folder / "report.html").read_text(encoding="utf-8")
