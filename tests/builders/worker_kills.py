"""Workers of a small study that are killed by kill -9 at random instants, and what comes out then."""

import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path
from threading import Timer

from ablations.run.executors import ProcessExecutor
from builders.crashes import carry_out, doubles, store, tables_hash

WORKERS = 2


def kill_workers(folder: Path, times: int) -> int:
    """Carries the study out again and again, and kills a worker each time; the number of failures.

    One pool serves all studies: what is killed in one is new in the next. Two undisturbed ones come first: with the jobs in
    this process, for the tables, and in the pool, for the time it takes.
    """
    folder.mkdir(parents=True)
    carry_out(folder / "here")
    expected, rng, failures, kills = tables_hash(store(folder / "here")), random.Random(0), 0, 0
    pool = ProcessExecutor(WORKERS)
    try:
        carry_out(folder / "compiled", executor=pool)
        seconds = _seconds(folder / "whole", pool)
        for number in range(times):
            home, instant = folder / str(number), rng.uniform(0, seconds)
            victims: list[int] = []
            timer = Timer(instant, _kill_one, (pool, rng, victims))
            timer.start()
            carry_out(home, executor=pool)
            timer.cancel()
            timer.join()
            kills += len(victims)
            if tables_hash(store(home)) != expected or doubles(store(home)) or list(home.rglob("*.pt")):
                failures += 1
                print(f"failed: a worker killed after {instant:.2f} s of {seconds:.2f}", flush=True)
            shutil.rmtree(home)
    finally:
        pool.close()
    print(f"{kills} kills, {failures} failures", flush=True)
    return failures


def _seconds(home: Path, pool: ProcessExecutor) -> float:
    began = time.monotonic()
    carry_out(home, executor=pool)
    return time.monotonic() - began


def _kill_one(pool: ProcessExecutor, rng: random.Random, victims: list[int]) -> None:
    if workers := list(pool._pool._processes or {}):
        victims.append(rng.choice(workers))
        os.kill(victims[-1], signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(1 if kill_workers(Path(sys.argv[1]), int(sys.argv[2])) else 0)
