"""What a person sees on a terminal: help that is not cut, how far a run is, and what was found."""

import errno
import io
import os
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from builders.fake_record import World, fake_study
from click.testing import CliRunner
from rich.console import Console

from ablations.cli import cli
from ablations.cli.ending import KEPT, end_of, mendable
from ablations.record.schema import RunRecord, StudyRecord
from ablations.run.context import COSTS
from ablations.run.progress import Reporter
from ablations.stages import Stages, console_on
from reports.brief import LEGEND, UNDECIDED, found_lines
from reports.comparison import ranking
from reports.compose import compose
from reports.estimates import Estimates
from reports.result_tables import ResultTables

ABLATE = [sys.executable, "-m", "ablations"]
COMMANDS = ["", *cli.commands]
TWO_TASKS = World(tasks=("adding", "france"), variants=("rnn", "lstm", "gru", "bilstm"), replicates=8, diverged=())


@pytest.mark.parametrize("command", COMMANDS)
def test_no_line_of_the_help_is_cut_at_80_columns(command: str) -> None:
    done = CliRunner().invoke(cli, [*command.split(), "--help"], terminal_width=80)
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert not [line for line in lines if line.endswith("...") and "Usage" not in line]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("is_error", [False, True])
def test_who_asks_for_colours_in_a_pipe_gets_no_line_that_moves(
    is_error: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert Console(file=io.StringIO()).is_terminal
    assert not console_on(is_error).is_terminal


def test_each_command_has_one_line_in_the_list() -> None:
    listed = CliRunner().invoke(cli, ["--help"], terminal_width=80).output.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in listed] == sorted(cli.commands)
    assert all(line.endswith(".") for line in listed)


@dataclass(frozen=True)
class Cohort:
    """As much of a cohort's state as progress looks at: one run that is half trained."""

    status: tuple[str | None, ...] = (None, None)
    step: int = 4

    @property
    def cohort(self) -> "Cohort":
        return self

    @property
    def budget(self) -> "Cohort":
        return self

    @property
    def steps(self) -> int:
        return 8


def half_trained(reporter: Reporter, names: list[str]) -> None:
    for name in names:
        reporter.on_setting_start(name)
        reporter.on_segment_end(name, (Cohort(),))  # type: ignore[arg-type]


def frame(reporter: Reporter, console: Console) -> list[str]:
    with console.capture() as capture:
        console.print(reporter._view())
    return capture.get().splitlines()


def test_a_terminal_shows_bar_share_runs_time_left_time_elapsed_and_what_runs() -> None:
    console = Console(width=80, force_terminal=True, color_system=None, file=io.StringIO())
    reporter = Reporter(console, planned=10, existing=3)
    half_trained(reporter, ["adding/lstm"])
    reporter.on_run_end("adding/lstm", RunRecord("i", "trial", 0, "pruned", {}, {}))
    reporter.on_setting_start("copying/gru")
    above, below = frame(reporter, console)
    assert len(above) == 80
    assert above.startswith("━━━━━")
    assert above.index("40%") > 20  # the bar takes what the words leave
    assert "40% 4 of 10 runs, left: not known yet 0:00:00" in above
    assert below == "running: adding/lstm, copying/gru · 1 pruned"


def test_many_settings_take_no_third_line() -> None:
    console = Console(width=80, force_terminal=True, color_system=None, file=io.StringIO())
    reporter = Reporter(console, planned=10, existing=3)
    half_trained(reporter, [f"a task with a long name/network {number}" for number in range(9)])
    _, below = frame(reporter, console)
    assert len(below) == 80
    assert below.endswith("…")


def test_elsewhere_a_line_says_the_same_at_the_start_and_when_costs_are_measured() -> None:
    console = Console(width=40, record=True, force_terminal=False, file=io.StringIO())
    with Reporter(console, planned=10, existing=3) as reporter:
        half_trained(reporter, ["adding/lstm", "adding/gru"])
        reporter.on_setting_end("adding/lstm")
        reporter.on_setting_start(COSTS)
    first, last = console.export_text().splitlines()
    assert first == "3 of 10 runs · elapsed: 0 s · left: not known yet · running: adding/lstm"
    assert last == "3 of 10 runs · elapsed: 0 s · left: not known yet · running: adding/gru, costs"


def test_stages_are_one_line_that_keeps_its_width_on_a_terminal_and_lines_elsewhere() -> None:
    plain = Console(width=40, record=True, force_terminal=False, file=io.StringIO())
    with Stages(plain, "reading") as say:
        say("drawing", "a figure")
        say("drawing", "another")
        say("writing")
    assert plain.export_text().splitlines() == ["drawing", "writing"]
    live = Console(width=60, force_terminal=True, color_system=None, file=io.StringIO())
    stages = Stages(live, "reading")
    stages("drawing", "[a figure] with a title that is too long for any line")
    with live.capture() as capture:
        live.print(stages._bar)
    (line,) = capture.get().splitlines()
    assert "0:00:00 drawing: [a figure] with" in line
    assert len(line) <= 60


def test_what_was_found_is_what_the_report_says() -> None:
    study = fake_study(TWO_TASKS)
    told = found_lines(study)
    place = next(place for place, line in enumerate(told) if line.startswith("Claims: "))
    claims, head, *rows = told[place:]
    assert " ".join(told[:place]).startswith("Left to right, ")
    assert max(map(len, told)) <= 80
    _, data = compose(study)
    words = Counter(word.partition(",")[0] for word in data["verdicts"]["verdict"])
    assert Counter({word.strip(): int(count) for count, word in re.findall(r"(\d+) ([a-z ]+)", claims)}) == words
    assert head.split() == ["task", "reads", "highest", "skill", "seeds", "solve", "not", "told", "apart"]
    means = data["replicates"].groupby(["task", "variant"])["skill"].mean()
    causal = ["rnn", "lstm", "gru"]
    for task in TWO_TASKS.tasks:
        best = means[task][causal].idxmax()
        (row,) = (line for line in rows if line.startswith(task) and "left to right" in line)
        solved = int((data["replicates"].query("task == @task and variant == @best")["skill"] > 0.9).sum())
        assert row.split("left to right")[1].split()[:5] == [best, f"{means[task][best]:.2f}", str(solved), "of", "8"]


@pytest.mark.parametrize(("gru", "alike"), [(0.97, "1 of 1"), (0.3, "0 of 1")])
def test_networks_that_cannot_be_told_apart_are_counted_and_the_column_is_explained(gru: float, alike: str) -> None:
    row, *legend = found_lines(two_networks(0.97, gru, replicates=8))[-2:]
    assert row.endswith(alike)
    assert legend == [LEGEND]


@pytest.mark.parametrize(("skill", "replicates"), [(0.0, 8), (0.97, 2)])
def test_what_the_report_does_not_rank_the_terminal_does_not(skill: float, replicates: int) -> None:
    study = two_networks(skill, skill, replicates)
    lines = found_lines(study)
    (row,) = (line for line in lines if line.startswith("adding "))
    assert row.endswith("–")
    assert " ".join(lines).endswith(UNDECIDED)
    assert LEGEND not in lines
    ranks = set(ranking(Estimates(ResultTables(study)))["rank"])
    assert ranks == {"1 to 2"}
    assert max(map(len, lines)) <= 80


def two_networks(lstm: float, gru: float, replicates: int) -> StudyRecord:
    skill = {("adding", "lstm"): lstm, ("adding", "gru"): gru}
    lost = dict.fromkeys(skill, 0.0)
    return fake_study(
        World(skill, lost, tasks=("adding",), variants=("lstm", "gru"), parents={}, replicates=replicates, diverged=())
    )


def test_a_study_without_replicates_says_nothing_of_networks() -> None:
    study = fake_study(World(tasks=("adding",), variants=("lstm",), parents={}, replicates=0, diverged=()))
    assert not any("not told apart" in line for line in found_lines(study))


FULL = OSError(errno.ENOSPC, "No space left on device", "results/x.pt")


def raised(*errors: BaseException) -> BaseException:
    """The last error, each raised from the one before."""
    for cause, error in pairwise(errors):
        error.__cause__ = cause
    return errors[-1]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FULL, "the disk is full (results/x.pt)"),
        (raised(FULL, RuntimeError("cannot save")), "the disk is full (results/x.pt)"),
        (raised(sqlite3.OperationalError("database or disk is full"), ValueError("MLflow")), "the disk is full"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "a database cannot be written to"),
        (sqlite3.DatabaseError("database disk image is malformed"), "a database is damaged"),
        (PermissionError(errno.EACCES, "Permission denied", "a"), "Permission denied (a)"),
    ],
)
def test_what_the_user_can_mend_is_one_line(
    error: BaseException, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(SystemExit) as end:
        end_of(fail)
    assert end.value.code == 2
    assert capsys.readouterr().err == f"error: {said}; {KEPT}\n"


@pytest.mark.parametrize(
    "error", [KeyError("x"), FileNotFoundError(errno.ENOENT, "no"), sqlite3.OperationalError("near x")]
)
def test_a_bug_keeps_its_traceback(error: Exception) -> None:
    def fail() -> None:
        raise error

    assert mendable(error) is None
    with pytest.raises(type(error)):
        end_of(fail)


@pytest.mark.slow
def test_output_that_cannot_be_written_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*ABLATE, "--help"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (2, f"error: the disk is full; {KEPT}\n")


@pytest.mark.slow
def test_a_reader_that_has_read_enough_is_told_nothing() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*ABLATE, "--help"], stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")
