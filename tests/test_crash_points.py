"""No crash loses a finished run, trains one twice, or changes a number; see `builders.crashes`."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def crash(*arguments: str | Path | int, builder: str = "crashes") -> str:
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    command = [sys.executable, "-m", f"builders.{builder}", *map(str, arguments)]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_crash_at_any_point_changes_nothing_of_what_comes_out(tmp_path: Path) -> None:
    told = re.match(r"(\d+) points, (\d+) states", crash("explore", tmp_path / "study"))
    assert told
    points, states = map(int, told.groups())
    assert points > 140
    assert states > 50


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_kill_9_at_twenty_instants_changes_nothing_of_what_comes_out(tmp_path: Path) -> None:
    assert "20 kills, 0 failures" in crash("kill", tmp_path / "study")


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_kill_9_of_workers_at_twenty_instants_changes_nothing_of_what_comes_out(tmp_path: Path) -> None:
    """A study that has ended before its instant has lost no worker: a few of the twenty may."""
    told = re.search(r"(\d+) kills, 0 failures", crash(tmp_path / "study", 20, builder="worker_kills"))
    assert told
    assert int(told[1]) >= 15
