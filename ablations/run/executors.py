"""Where jobs run: in this process, or in a pool of worker processes that survives the death of a worker."""

import os
import signal
from abc import ABC, abstractmethod
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any

import torch

from ablations.run.cohort_state import Job

ATTEMPTS = 3
"""How often a job is handed out whose worker died."""


class Executor(ABC):
    """Takes jobs under a key and gives their results back, in whatever order they are done."""

    @abstractmethod
    def submit(self, key: int, job: Job) -> None: ...

    @abstractmethod
    def next_result(self) -> tuple[int, Any]:
        """Waits for any job: its key, and its result or the exception that it raised."""

    @abstractmethod
    def close(self) -> None:
        """Stops at once, whatever is still running."""


class SerialExecutor(Executor):
    """Runs each job in this process when its result is asked for."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        self._waiting: list[tuple[int, Job]] = []

    def submit(self, key: int, job: Job) -> None:
        self._waiting.append((key, job))

    def next_result(self) -> tuple[int, Any]:
        key, job = self._waiting.pop(0)
        try:
            return key, job()
        except Exception as error:
            return key, error

    def close(self) -> None:
        self._waiting.clear()


class ProcessExecutor(Executor):
    """Runs jobs in `workers` spawned processes of one thread each, each of which calls `prepare` at first.

    A worker that dies takes the whole pool with it; the pool is then made anew and the lost jobs are handed out again,
    each at most `ATTEMPTS` times.
    """

    def __init__(self, workers: int, prepare: Job | None = None) -> None:
        self._workers, self._prepare = workers, prepare
        self._pool = self._new_pool()
        self._running: dict[Future[Any], tuple[int, Job, int]] = {}

    def submit(self, key: int, job: Job) -> None:
        self._hand_out(key, job, attempt=1)

    def next_result(self) -> tuple[int, Any]:
        while True:
            done, _ = wait(self._running, return_when=FIRST_COMPLETED)
            future = next(iter(done))
            error = future.exception()
            if not isinstance(error, BrokenProcessPool) or self._running[future][2] >= ATTEMPTS:
                key, _, _ = self._running.pop(future)
                return key, error or future.result()
            self._recover()

    def close(self) -> None:
        for process in list((self._pool._processes or {}).values()):
            process.kill()  # a worker holds nothing that has to be saved
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _hand_out(self, key: int, job: Job, attempt: int) -> None:
        try:
            self._running[self._pool.submit(job)] = (key, job, attempt)
        except BrokenProcessPool:
            self._recover()
            self._hand_out(key, job, attempt)

    def _recover(self) -> None:
        """A new pool, and every job of the broken one that has no result handed out again."""
        lost = {future: entry for future, entry in self._running.items() if not _has_result(future)}
        self._pool.shutdown(wait=True)
        self._pool = self._new_pool()
        for future, (key, job, attempt) in lost.items():
            del self._running[future]
            self._running[self._pool.submit(job)] = (key, job, attempt + 1)

    def _new_pool(self) -> ProcessPoolExecutor:
        context = get_context("spawn")
        return ProcessPoolExecutor(self._workers, context, initializer=_prepare_worker, initargs=(self._prepare,))


def _has_result(future: Future[Any]) -> bool:
    return future.done() and not isinstance(future.exception(), BrokenProcessPool)


def _prepare_worker(prepare: Job | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    torch.set_num_threads(1)
    Thread(target=_end_with_parent, daemon=True).start()
    if prepare:
        prepare()


def _end_with_parent() -> None:
    """A pool's workers would wait for ever for jobs from a parent that was killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
