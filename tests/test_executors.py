"""Jobs run here or in processes; a worker's death costs its job's time and nothing else."""

import time
from functools import partial
from pathlib import Path

import pytest
import torch
from builders.jobs import die, die_once, fail, fail_strangely, square

from ablations.run.executors import Executor, ProcessExecutor, SerialExecutor
from ablations.run.jobs import JobFailed


def _collect(executor: Executor, count: int) -> dict[int, object]:
    return dict(executor.next_result() for _ in range(count))


def assert_failure(result: object) -> None:
    """One line that says why, and the traceback up to the line that failed, wherever that ran."""
    assert isinstance(result, JobFailed)
    assert result.reason == "ArithmeticError: no 4 (jobs.py, line 13)"
    assert 'raise ArithmeticError(f"no {x}")' in result.details


def test_inline_gives_results_and_errors() -> None:
    executor = SerialExecutor()
    executor.submit(1, partial(square, 3))
    executor.submit(2, partial(fail, 4))
    results = _collect(executor, 2)
    assert results[1] == 9
    assert_failure(results[2])


@pytest.mark.slow
def test_a_killed_worker_costs_no_result(tmp_path: Path) -> None:
    executor = ProcessExecutor(2)
    try:
        executor.submit(0, partial(die_once, tmp_path / "died"))
        for key in range(1, 5):
            executor.submit(key, partial(square, key))
        assert _collect(executor, 5) == {0: "survived", 1: 1, 2: 4, 3: 9, 4: 16}
        executor.submit(9, partial(fail, 4))
        assert_failure(executor.next_result()[1])
    finally:
        executor.close()


@pytest.mark.long
def test_a_job_that_always_kills_its_worker_fails_in_the_end() -> None:
    executor = ProcessExecutor(1)
    try:
        executor.submit(0, die)
        key, result = executor.next_result()
        assert key == 0
        assert isinstance(result, JobFailed)
        assert result.reason.startswith(
            "its worker process was killed, as the system does when memory runs out, 3 times;"
        )
        assert "--cohort-memory" in result.reason
    finally:
        executor.close()


@pytest.mark.slow
def test_an_error_that_cannot_be_unpickled_fails_its_job_and_no_worker() -> None:
    executor = ProcessExecutor(1)
    try:
        executor.submit(0, fail_strangely)
        key, result = executor.next_result()
        assert isinstance(result, JobFailed)
        assert (key, result.reason) == (0, "StrangeError: no 1 and no 2 (jobs.py, line 24)")
    finally:
        executor.close()


@pytest.mark.slow
def test_tensors_come_and_go_where_the_path_of_temporary_files_is_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer than a socket's path may be."""
    long = tmp_path / ("t" * 110)
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    executor = ProcessExecutor(1)
    try:
        executor.submit(0, partial(torch.square, torch.arange(4.0)))
        key, result = executor.next_result()
        assert (key, result.tolist()) == (0, [0, 1, 4, 9])
        assert not list(long.iterdir())
    finally:
        executor.close()


@pytest.mark.slow
def test_what_cannot_be_pickled_fails_its_job_and_no_worker() -> None:
    executor = ProcessExecutor(1)
    try:
        executor.submit(0, partial(square, lambda: 3))
        executor.submit(1, partial(square, 3))
        results = _collect(executor, 2)
        assert isinstance(results[0], JobFailed)
        assert "pickle" in results[0].reason
        assert results[1] == 9
    finally:
        executor.close()


@pytest.mark.slow
def test_closing_does_not_wait_for_running_jobs() -> None:
    executor = ProcessExecutor(1)
    executor.submit(0, partial(time.sleep, 60))
    time.sleep(0.1)
    began = time.monotonic()
    executor.close()
    assert time.monotonic() - began < 10


@pytest.mark.slow
def test_all_workers_start_before_there_is_a_job() -> None:
    executor = ProcessExecutor(2)
    try:
        assert len(executor._pool._processes) == 2
    finally:
        executor.close()
