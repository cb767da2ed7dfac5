"""Jobs for worker processes, which have to be able to import them."""

import os
import signal
from pathlib import Path


def square(x: int) -> int:
    return x * x


def fail(x: int) -> int:
    raise ArithmeticError(f"no {x}")


class StrangeError(Exception):
    """An error that pickle cannot make again: it calls the class with the message alone."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"no {one} and no {other}")


def fail_strangely() -> None:
    raise StrangeError(1, 2)


def die_once(marker: Path) -> str:
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "survived"


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
