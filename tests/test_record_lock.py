"""One writer per record: a second one is told who the first is; a killed one is in nobody's way."""

import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ablations.errors import UserError
from ablations.record import lock
from ablations.record.lock import make_writable, sole_writer

OWN = """
from dataclasses import replace
from ablations.studies.claims import SMOKE, STUDY as CLAIMS
scale = replace(SMOKE, tasks={"adding": SMOKE.tasks["adding"]}, costs=None)
STUDY = replace(CLAIMS, name="own", variants=CLAIMS.variants[4:6], scales={"smoke": scale})
STUDY = STUDY.with_changes("smoke", {"steps": 2000, "segments": 100})
"""


def test_a_clock_of_another_century_is_refused_before_anything_is_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> "Clock":
            return cls(1969, 12, 31, tzinfo=UTC)

    monkeypatch.setattr(lock, "datetime", Clock)
    with pytest.raises(UserError, match="this machine's clock says 1969-12-31"):
        make_writable(tmp_path / "results")
    assert not list(tmp_path.iterdir())


def test_a_second_writer_is_told_who_the_first_is(tmp_path: Path) -> None:
    with (
        sole_writer(tmp_path, "claims-demo", "ablate run claims"),
        pytest.raises(
            UserError, match=rf"is being written by process {os.getpid()} on .* since 20.*: ablate run claims"
        ),
        sole_writer(tmp_path, "claims-demo", "ablate run claims --workers 2"),
    ):
        raise AssertionError("two writers")


def test_a_refused_writer_leaves_the_first_ones_name_in_place(tmp_path: Path) -> None:
    with sole_writer(tmp_path, "claims-demo", "first"):
        for _ in range(2):
            with pytest.raises(UserError, match="first"), sole_writer(tmp_path, "claims-demo", "second"):
                raise AssertionError("two writers")


def test_records_of_other_names_do_not_block_each_other(tmp_path: Path) -> None:
    with sole_writer(tmp_path, "claims-demo", "a"), sole_writer(tmp_path, "claims-smoke", "b"):
        pass


def test_the_next_writer_goes_on_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), sole_writer(tmp_path, "claims-demo", "a"):
        raise KeyError
    with sole_writer(tmp_path, "claims-demo", "b"):
        pass


def test_what_a_killed_writer_left_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "claims-demo.lock").touch()
    (tmp_path / "locks" / "claims-demo.json").write_text("{")
    with sole_writer(tmp_path, "claims-demo", "a"):
        pass


@pytest.mark.long
def test_two_commands_on_one_record_and_the_first_one_killed(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    environment = os.environ | {"ABLATIONS_HOME": str(tmp_path / "results")}
    run = [sys.executable, "-m", "ablations", "run", str(tmp_path / "own.py"), "--scale", "smoke", "--workers", "1"]
    first = subprocess.Popen(run, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not list((tmp_path / "results").glob("checkpoints/*/*.pt")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        second = subprocess.run(run, env=environment, capture_output=True, text=True)
        assert second.returncode == 2
        assert re.fullmatch(rf"error: .* is being written by process {first.pid} on .*\n", second.stderr)
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    budget = ["--steps", "10", "--segments", "1", "--trials", "1", "--replicates", "1"]
    third = subprocess.run([*run, *budget], env=environment, capture_output=True, text=True)
    assert third.returncode == 0, third.stderr
