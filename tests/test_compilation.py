"""A cell's source is compiled once for all processes of a machine, and not at all where there is no compiler."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import gettempdir

import pytest

from ablations.models.cell import Cell
from ablations.models.cells import CELLS
from ablations.models.kernels.compilation import cache_folder
from ablations.models.kernels.source import source

WORK = """
import torch
from ablations.models.recurrent import RecurrentLayer
torch.manual_seed(0)
layer = RecurrentLayer("mgu", 3, 4)
layer(torch.randn(2, 5, 3))[0].sum().backward()
print(float(layer.weight.grad.double().sum()))
"""


def python(code: str, **environment: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", code]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | environment)


def test_without_a_compiler_the_eager_backend_runs() -> None:
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "import torch; from ablations.models import Recurrent; from ablations.models.backends import backend_of\n"
        "from ablations.models.cells import CELLS\n"
        "Recurrent('lstm', 2, 3)(torch.zeros(1, 2, 2)).sum().backward(); print(backend_of(CELLS['lstm']))"
    )
    assert python(code).communicate()[0].strip() == "eager"


@pytest.mark.parametrize("cell", CELLS.values(), ids=str)
def test_the_source_of_a_cell_is_python_that_names_what_its_equations_name(cell: type[Cell]) -> None:
    text = source(cell)
    compile(text, cell.name, "exec")
    assert "def forward(" in text
    assert "def backward(" in text
    assert all(f"new_{state}" in text for state in cell.state)


def test_a_cache_folder_that_cannot_be_written_to_is_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "recurrent-ablations"
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert cache_folder().parent == Path(gettempdir())


@pytest.mark.slow
def test_processes_share_what_one_of_them_compiled_even_if_it_is_killed(tmp_path: Path) -> None:
    victim = python(WORK, XDG_CACHE_HOME=str(tmp_path))
    while not list(tmp_path.glob("*/*.py")):
        assert victim.poll() is None, "it ended before it compiled anything"
        time.sleep(0.02)
    time.sleep(0.5)  # in the middle of compiling
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    assert victim.returncode == -signal.SIGKILL
    together = [python(WORK, XDG_CACHE_HOME=str(tmp_path)) for _ in range(3)]
    printed = {process.communicate()[0] for process in together}
    assert len(printed) == 1
    compiled = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nbc")}
    assert len(compiled) == 2  # one forward, one backward
    assert python(WORK, XDG_CACHE_HOME=str(tmp_path)).communicate()[0] in printed
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nbc")} == compiled
