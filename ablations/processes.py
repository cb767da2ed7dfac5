"""Worker processes: how they start, and how they end."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from threading import Thread


def new_pool(workers: int, prepare: Callable[[], object] | None = None) -> ProcessPoolExecutor:
    """A pool of spawned processes, each of which calls `prepare` first. Ctrl-C and SIGHUP do not reach them.

    They end when their parent has died.
    """
    return ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_prepare_worker, initargs=(prepare,) if prepare else ()
    )


def stop(pool: ProcessPoolExecutor) -> None:
    """Ends a pool's processes at once, also in the middle of their jobs."""
    for process in list((pool._processes or {}).values()):
        process.kill()
    pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def second_process() -> Iterator[ProcessPoolExecutor]:
    """A pool of one process, which starts with the first job and ends at once when this is left."""
    pool = new_pool(1)
    try:
        yield pool
    finally:
        stop(pool)


def _prepare_worker(prepare: Callable[[], object] | None = None) -> None:
    for each in (signal.SIGINT, signal.SIGHUP):  # Ctrl-C and a closed terminal are the parent's to answer
        signal.signal(each, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()
    if prepare:
        prepare()


def _end_with_parent() -> None:
    """Ends this process when its parent has died: it would wait for jobs for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
