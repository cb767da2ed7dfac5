"""Servers for a browser on this machine: their port, when they answer, and how they end."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from typing import NoReturn

from ablations.errors import UserError

HOST = "127.0.0.1"
"""The loopback address: nothing but this machine reaches it."""

PATIENCE = 300.0
"""Seconds in which a server has to answer."""

Say = Callable[[str], object]


def check_port(port: int) -> None:
    """Raises `UserError` where nobody can listen at a port of this machine."""
    with socket.socket() as probe:
        # As the servers do: one that has just ended is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise UserError(f"port {port} cannot be used: {error.strerror}; choose another with --port") from error


def run_server(
    arguments: Sequence[str], environment: Mapping[str, str], port: int, on_answer: Callable[[], object]
) -> None:
    """Runs `python arguments…` until it ends or Ctrl-C, and calls `on_answer` once it answers.

    Raises `UserError` where it ends before that, or does not answer in time.
    """
    before = signal.signal(signal.SIGTERM, _interrupt)
    process = subprocess.Popen([sys.executable, *arguments], env={**os.environ, **environment})
    try:
        _wait_for_answer(process, port)
        on_answer()
        process.wait()
    except KeyboardInterrupt:
        pass  # that is how one ends it
    finally:
        signal.signal(signal.SIGTERM, before)
        _stop(process)


def _wait_for_answer(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + PATIENCE
    while not answers(port):
        if process.poll() is not None:
            raise UserError(f"the server ended with exit code {process.returncode} before it answered at port {port}")
        if time.monotonic() > end:
            raise UserError(f"the server does not answer at port {port} after {PATIENCE:.0f} s")
        time.sleep(0.1)


def answers(port: int) -> bool:
    """Whether an HTTP server answers at a port of this machine."""
    connection = HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/")
        connection.getresponse()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends a process. Ctrl-C on a terminal has reached it too; a server that closes takes a moment."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
        process.wait(timeout=10)
        return
    process.kill()
    process.wait()


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
