"""Where jobs run: in this process, or in a pool of worker processes that survives the death of a worker."""

import pickle
import signal
from abc import ABC, abstractmethod
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import Any

from ablations.processes import new_pool, stop
from ablations.run.jobs import LESS_MEMORY, Job, JobFailed, failure, run_job
from ablations.train.threads import use_one_thread

ATTEMPTS = 3
"""How often a job is started whose worker dies."""


class Executor(ABC):
    """Takes jobs under a key and returns their results, in whatever order they end. `workers` jobs run at a time."""

    workers = 1

    @abstractmethod
    def submit(self, key: int, job: Job) -> None: ...

    @abstractmethod
    def next_result(self) -> tuple[int, Any]:
        """Waits for any job: its key, and its result or the `JobFailed` that says how it failed."""

    @abstractmethod
    def close(self) -> None:
        """Stops at once, also the jobs that are running."""


class SerialExecutor(Executor):
    """Runs each job in this process when its result is asked for."""

    def __init__(self) -> None:
        use_one_thread()
        self._waiting: list[tuple[int, Job]] = []

    def submit(self, key: int, job: Job) -> None:
        self._waiting.append((key, job))

    def next_result(self) -> tuple[int, Any]:
        key, job = self._waiting.pop(0)
        return key, run_job(job)

    def close(self) -> None:
        self._waiting.clear()


class ProcessExecutor(Executor):
    """Runs jobs in `workers` spawned processes of one thread each. Each process calls `prepare` first.

    A worker that dies takes the whole pool with it. Then there is a new pool, and the lost jobs are started again, each
    at most `ATTEMPTS` times.
    """

    def __init__(self, workers: int, prepare: Job | None = None) -> None:
        self.workers, self._prepare = workers, prepare
        self._pool = self._new_pool()
        self._running: dict[Future[bytes], tuple[int, Job, int]] = {}
        self._was_killed = False  # some worker, from outside

    def submit(self, key: int, job: Job) -> None:
        self._start(key, job, attempt=1)

    def next_result(self) -> tuple[int, Any]:
        while True:
            done, _ = wait(self._running, return_when=FIRST_COMPLETED)
            future = next(iter(done))
            error = future.exception()
            self._note_kills(error)
            if not isinstance(error, BrokenProcessPool) or self._running[future][2] >= ATTEMPTS:
                key, _, _ = self._running.pop(future)
                return key, self._failure(error) if error else _unpacked(future.result())
            self._recover()

    def _failure(self, error: BaseException) -> JobFailed:
        if isinstance(error, BrokenProcessPool):
            return lost_worker(self._was_killed, error)
        return failure(error)

    def close(self) -> None:
        stop(self._pool)  # a worker holds nothing that has to be saved

    def _start(self, key: int, job: Job, attempt: int) -> None:
        try:
            self._running[self._sent(job)] = (key, job, attempt)
        except BrokenProcessPool:
            self._recover()
            self._start(key, job, attempt)

    def _sent(self, job: Job) -> Future[bytes]:
        """A job that is sent to a worker; it has failed at once where it cannot be pickled."""
        try:
            packed = pickle.dumps(job)
        except Exception as error:  # see `_run_packed`
            failed = Future[bytes]()
            failed.set_exception(error)
            return failed
        return self._pool.submit(_run_packed, packed)

    def _note_kills(self, error: BaseException | None) -> None:
        """Remembers whether a worker got SIGKILL: nothing but the system or a person sends that; a pool sends SIGTERM."""
        if isinstance(error, BrokenProcessPool):
            for process in list((self._pool._processes or {}).values()):
                process.join(timeout=1)
                self._was_killed |= process.exitcode == -signal.SIGKILL

    def _recover(self) -> None:
        """Makes a new pool, and starts every job of the broken one again that has no result."""
        lost = {future: entry for future, entry in self._running.items() if not _has_result(future)}
        self._pool.shutdown(wait=True)
        self._pool = self._new_pool()
        for future, (key, job, attempt) in lost.items():
            del self._running[future]
            self._running[self._sent(job)] = (key, job, attempt + 1)

    def _new_pool(self) -> ProcessPoolExecutor:
        """Starts all processes at once, so that they load their libraries before there is a job."""
        pool = new_pool(self.workers, partial(_prepare_worker, self._prepare))
        for _ in range(self.workers):  # a process is started by a job that finds no idle one
            pool.submit(_load_libraries)
        return pool


def lost_worker(was_killed: bool, error: BaseException) -> JobFailed:
    """How a job fails that has cost `ATTEMPTS` workers."""
    end = "was killed, as the system does when memory runs out" if was_killed else "died"
    return JobFailed(f"its worker process {end}, {ATTEMPTS} times; {LESS_MEMORY}", failure(error).details)


def _run_packed(packed: bytes) -> bytes:
    """In a worker. Jobs and results go as bytes: tensors in a pool's own pickles would go through shared memory, of which a
    container may have little, and through sockets, whose paths must be short."""
    try:
        return pickle.dumps(run_job(pickle.loads(packed)))
    except Exception as error:  # a user's object may raise anything when it is pickled
        return pickle.dumps(failure(error))


def _unpacked(result: bytes) -> Any:
    try:
        return pickle.loads(result)
    except Exception as error:  # see `_run_packed`
        return failure(error)


def _has_result(future: Future[bytes]) -> bool:
    return future.done() and not isinstance(future.exception(), BrokenProcessPool)


def _prepare_worker(prepare: Job | None) -> None:
    use_one_thread()
    if prepare:
        prepare()


def _load_libraries() -> None:
    """Imports what the jobs of a study need."""
    import ablations.train.evaluation  # noqa: F401
