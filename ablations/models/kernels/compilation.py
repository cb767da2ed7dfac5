"""Compiling a cell's source once for all processes of this machine, kept in the user's cache folder."""

import atexit
import logging
import multiprocessing
import os
import re
import shutil
import stat
import sys
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from types import ModuleType
from typing import Any

import numba
from filelock import FileLock

from ablations.models.cell import Cell
from ablations.models.kernels import convolution, energies, frames, functions, lanes, matrices, products
from ablations.models.kernels.seal import drop_damaged, seal
from ablations.models.kernels.source import source

log = logging.getLogger(__name__)

DIGITS = 16
"""Of a hash in the name of a file: 64 bits, so that no two sources meet."""


class Kernel:
    """The compiled functions of a source text. One process at a time compiles; the others load what it has compiled."""

    def __init__(self, name: str, text: str) -> None:
        self._name = _module_name(name, text)
        self._folder = cache_folder()
        self._lock = FileLock(self._folder / f"{self._name}.lock")
        with self._lock:
            drop_damaged(self._folder, self._name)
            self._module = self._load(text)
        self._ready: set[tuple[str, Any]] = set()

    def workspace(self, function: str, sequences: int, inputs: int, units: int) -> int:
        """The floats of scratch memory that a function needs."""
        return getattr(self._module, f"{function}_workspace")(sequences, inputs, units)

    def call(self, function: str, *arguments: Any) -> Any:
        """Calls a function, and before the first time for a kind of floats compiles it."""
        key = function, arguments[0].dtype
        if key in self._ready:
            return getattr(self._module, function)(*arguments)
        with self._lock:
            result = getattr(self._module, function)(*arguments)
            seal(self._folder, self._name)
        self._ready.add(key)
        return result

    def _load(self, text: str) -> ModuleType:
        """Executes the text itself. The file is for Numba, which keeps beside it what it has compiled, while it is the same."""
        path = self._folder / f"{self._name}.py"
        if not _holds(path, text):
            part = path.with_suffix(".part")
            part.write_text(text, encoding="utf-8")
            part.replace(path)
        module = sys.modules[self._name] = ModuleType(self._name)  # where Numba looks for it later
        module.__file__ = str(path)
        exec(compile(text, path, "exec"), vars(module))
        return module


@cache
def kernel(cell: type[Cell]) -> Kernel:
    """The kernel of a cell, made once in a process."""
    return Kernel(cell.name, source(cell))


def is_compiled(cell: type[Cell]) -> bool:
    """Whether the cache has what a training of that cell needs compiled."""
    files = (cache_folder() / "__pycache__").glob(f"{_module_name(cell.name, source(cell))}.backward-*.nbi")
    return any(files)


@cache
def training_kernel() -> Kernel:
    """The functions of `training.py`, compiled like a cell's."""
    return Kernel("training", Path(__file__).with_name("training.py").read_text(encoding="utf-8"))


def _module_name(name: str, text: str) -> str:
    """The name of the module that is made of a text: other text, or other versions below it, another name."""
    key = sha256((text + _foundation()).encode()).hexdigest()[:DIGITS]
    return f"recurrent_ablations_{re.sub(r'[^A-Za-z0-9]+', '_', name)}_{key}"


def _holds(path: Path, text: str) -> bool:
    """Whether the file is there, whole and unchanged."""
    try:
        return sha256(path.read_bytes()).digest() == sha256(text.encode()).digest()
    except OSError:
        return False


def cache_folder() -> Path:
    """Where compiled cells are kept: a folder that no other user can write to, since what lies in it is executed.

    In the user's cache folder, else in the temporary one, else one that lives as long as this process. Where it is not the
    first of these, that is said once.
    """
    usual = _usual_folder()
    if usual and _is_private(usual):
        return usual
    other = _temporary_folder()
    folder = other if _is_private(other) else _folder_of_process()
    _say_where(usual, folder)
    return folder


def _usual_folder() -> Path | None:
    """In the user's cache folder; None where there is no HOME.

    By the user's number, not name: a container's user may have no name, and root may work with another user's HOME.
    """
    with suppress(RuntimeError):
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return Path(cache) / "recurrent-ablations" / f"kernels-{os.geteuid()}"
    return None


def _temporary_folder() -> Path:
    """Where other processes of this user find it too, until the machine is started anew."""
    return Path(gettempdir()) / f"recurrent-ablations-kernels-{os.geteuid()}"


@cache
def _say_where(usual: Path | None, folder: Path) -> None:
    """Of a worker, the process that has started it has said it."""
    if multiprocessing.parent_process() is None:
        log.warning("compiled cells cannot be kept in %s, so they are kept in %s", usual or "~/.cache", folder)


def _is_private(folder: Path) -> bool:
    """Whether the folder, made if need be, is this user's own and closed to all others."""
    try:
        folder.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
        status = folder.lstat()  # not stat: another user may have put a link there
    except OSError:
        return False
    others = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    is_own = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not others
    return is_own and os.access(folder, os.W_OK)


@cache
def _folder_of_process() -> Path:
    folder = mkdtemp(prefix="recurrent-ablations-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@cache
def _foundation() -> str:
    """All else that a compiled cell depends on, and that Numba's own cache does not look at."""
    modules = (lanes, functions, matrices, products, frames, convolution, energies)
    texts = [Path(str(module.__file__)).read_text(encoding="utf-8") for module in modules]
    return "".join([*texts, numba.__version__, str(lanes.LANES)])
