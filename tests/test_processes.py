"""Worker processes end with what they were started for, and Ctrl-C does not reach them."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from ablations.processes import second_process

ORPHAN = """
import os
from ablations.processes import new_pool
if __name__ == "__main__":
    print(new_pool(1).submit(os.getpid).result(), flush=True)
    os._exit(0)
"""


def _is_alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def _is_gone(pid: int) -> bool:
    for _ in range(100):
        if not _is_alive(pid):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.slow
def test_the_second_process_ends_in_the_middle_of_its_job() -> None:
    start = time.monotonic()
    with second_process() as pool:
        pid = pool.submit(os.getpid).result()
        pool.submit(time.sleep, 60)
    assert _is_gone(pid)
    assert time.monotonic() - start < 30


@pytest.mark.slow
@pytest.mark.parametrize("whom", [signal.SIGINT, signal.SIGHUP])
def test_ctrl_c_and_a_closed_terminal_do_not_reach_the_second_process(whom: signal.Signals) -> None:
    with second_process() as pool:
        os.kill(pool.submit(os.getpid).result(), whom)
        assert pool.submit(abs, -1).result() == 1


@pytest.mark.slow
def test_a_worker_ends_when_its_parent_has_died() -> None:
    done = subprocess.run([sys.executable, "-c", ORPHAN], capture_output=True, text=True, check=True)
    assert _is_gone(int(done.stdout))
