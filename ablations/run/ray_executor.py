"""Jobs as tasks of Ray, on this machine or on a cluster. The only module that imports Ray; the option `--executor ray` does."""

import logging
import os
import pickle
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # before the import; nothing is sent anywhere
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # as later versions of Ray have it

import ray
from ray.exceptions import OutOfMemoryError, RayError, RayTaskError, TaskCancelledError

from ablations.errors import UserError
from ablations.outages import TO_CONNECT
from ablations.run.executors import ATTEMPTS, Executor, lost_worker
from ablations.run.jobs import Job, failure, run_job
from ablations.train.threads import use_one_thread

_prepared: set[bytes] = set()
"""In a worker: what it has been prepared for."""


class RayExecutor(Executor):
    """Runs each job as a task that has one CPU to itself. Each worker calls `prepare` first, in this process's folder.

    address: that of a cluster, as `ray start` prints it, or "auto" for the one that this machine belongs to. Without one
    there is a cluster of `workers` CPUs on this machine, which ends with this process.
    A job whose worker or node is lost is started again elsewhere, at most `ATTEMPTS` times in all. `workers` is the number
    of CPUs of the cluster, or what is asked for if that is more: a cluster may grow.
    """

    def __init__(self, workers: int, address: str | None = None, prepare: Job | None = None) -> None:
        local: dict[str, Any] = {"num_cpus": workers, "include_dashboard": False, "_node_ip_address": "127.0.0.1"}
        options = {"address": address} if address else {"address": "local", **local}
        if address:
            _check_address(address)
        try:
            ray.init(**options, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, ValueError, RuntimeError, RayError) as error:
            line = (str(error).splitlines() or [type(error).__name__])[0]
            raise UserError(f"cannot reach a Ray cluster at {address or 'this machine'}: {line}") from error
        self.workers = max(workers, int(ray.cluster_resources().get("CPU", 0)))
        self._task = ray.remote(num_cpus=1, max_retries=0)(_run)
        self._place = pickle.dumps((Path.cwd(), prepare))
        self._running: dict[Any, tuple[int, bytes, int]] = {}

    def submit(self, key: int, job: Job) -> None:
        self._start(key, pickle.dumps(job), attempt=1)

    def next_result(self) -> tuple[int, Any]:
        while True:
            (task, *_), _ = ray.wait(list(self._running), num_returns=1)
            key, job, attempt = self._running.pop(task)
            try:
                return key, pickle.loads(ray.get(task))
            except (RayTaskError, TaskCancelledError) as error:  # Ray could not begin the job or take its result
                return key, failure(error)
            except RayError as error:
                if attempt >= ATTEMPTS:
                    return key, lost_worker(isinstance(error, OutOfMemoryError), error)
                self._start(key, job, attempt + 1)

    def close(self) -> None:
        for task in self._running:
            with suppress(RayError):
                ray.cancel(task, force=True)
        self._running.clear()
        ray.shutdown()

    def _start(self, key: int, job: bytes, attempt: int) -> None:
        self._running[self._task.remote(self._place, job)] = key, job, attempt


def _check_address(address: str) -> None:
    """Raises `UserError` where nobody listens at HOST:PORT: Ray itself would wait for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not port.isdecimal():
        return  # auto, or what Ray knows better
    try:
        socket.create_connection((host.strip("[]"), int(port)), TO_CONNECT).close()
    except (OSError, OverflowError) as error:
        raise UserError(f"cannot reach a Ray cluster at {address}: {error}") from error


def _run(place: bytes, job: bytes) -> bytes:
    """A job's result. Both are pickled by hand: to read a job one may need what a study's file defines."""
    if place not in _prepared:
        use_one_thread()
        folder, prepare = pickle.loads(place)
        with suppress(OSError):  # another machine may not have it
            os.chdir(folder)
        if prepare:
            prepare()
        _prepared.add(place)
    return pickle.dumps(run_job(pickle.loads(job)))
