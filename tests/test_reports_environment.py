"""The report does not depend on the user's environment: not on a matplotlibrc, not on the locale."""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MATPLOTLIBRC = """
backend: tkagg
text.usetex: True
font.family: serif
font.size: 31
figure.dpi: 33
savefig.bbox: tight
savefig.facecolor: red
svg.fonttype: none
axes.prop_cycle: cycler("color", ["k"])
axes.formatter.use_mathtext: True
axes.formatter.limits: -1, 1
lines.linewidth: 9
lines.antialiased: False
legend.numpoints: 3
path.simplify: False
xtick.direction: in
"""
WRITE = """
import sys
from pathlib import Path
from builders.fake_record import World, fake_study
from reports.write import write

study = fake_study(World(tasks=("adding",), variants=("rnn", "gr\\u00f6\\u00dfer"), parents={"gr\\u00f6\\u00dfer": "rnn"}))
write(study, Path(sys.argv[1]))
assert "tkinter" not in sys.modules, "an interactive backend was loaded"
"""


def files_written(folder: Path, **environment: str) -> dict[str, str]:
    """The digests of a small report's files, written by a fresh process with more environment variables."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    everything = {**os.environ, "PYTHONPATH": paths, **environment}
    done = subprocess.run([sys.executable, "-c", WRITE, str(folder)], env=everything, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The report in the environment of the tests."""
    return files_written(tmp_path_factory.mktemp("usual") / "report")


@pytest.mark.long
def test_a_matplotlibrc_of_the_user_changes_nothing(tmp_path: Path, usual: dict[str, str]) -> None:
    (tmp_path / "matplotlibrc").write_text(MATPLOTLIBRC, encoding="utf-8")
    assert files_written(tmp_path / "report", MATPLOTLIBRC=str(tmp_path / "matplotlibrc"), DISPLAY="") == usual
    assert any(name.endswith(".svg") for name in usual)


@pytest.mark.long
def test_the_report_can_be_written_under_a_locale_that_knows_ascii_only(tmp_path: Path, usual: dict[str, str]) -> None:
    assert files_written(tmp_path / "report", LC_ALL="C", PYTHONUTF8="0") == usual
