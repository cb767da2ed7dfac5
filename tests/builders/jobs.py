"""Jobs for worker processes, which have to be able to import them."""

import os
import signal
from pathlib import Path


def square(x: int) -> int:
    return x * x


def fail(x: int) -> int:
    raise ArithmeticError(f"no {x}")


def die_once(marker: Path) -> str:
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "survived"


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
