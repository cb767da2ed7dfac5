"""Compiling a cell's source once for all processes of this machine, kept in the user's cache folder."""

import os
import sys
from contextlib import suppress
from functools import cache
from getpass import getuser
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import gettempdir
from types import ModuleType
from typing import Any

import numba
from filelock import FileLock

from ablations.models.cell import Cell
from ablations.models.kernels import functions, lanes, matrices, products
from ablations.models.kernels.source import source


class Kernel:
    """A cell's compiled functions. One process at a time compiles; the others find what it has made."""

    def __init__(self, cell: type[Cell]) -> None:
        text = source(cell)
        key = sha256((text + _foundation()).encode()).hexdigest()[:16]
        self._name = f"recurrent_ablations_{cell.name.replace('-', '_')}_{key}"
        self._folder = cache_folder()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self._folder / f"{self._name}.lock")
        with self._lock:
            self._module = self._load(text)
        self._ready: set[tuple[str, Any]] = set()

    def workspace(self, function: str, sequences: int, inputs: int, units: int) -> int:
        """The floats of scratch memory that a function needs."""
        return getattr(self._module, f"{function}_workspace")(sequences, inputs, units)

    def call(self, function: str, *arguments: Any) -> None:
        """Calls `forward` or `backward`, and before the first time for a kind of floats compiles it."""
        key = function, arguments[0].dtype
        if key in self._ready:
            getattr(self._module, function)(*arguments)
        else:
            with self._lock:
                getattr(self._module, function)(*arguments)
            self._ready.add(key)

    def _load(self, text: str) -> ModuleType:
        path = self._folder / f"{self._name}.py"
        if not path.exists():
            part = path.with_suffix(".part")
            part.write_text(text)
            part.replace(path)
        spec = spec_from_file_location(self._name, path)
        assert spec
        assert spec.loader
        module = sys.modules[self._name] = module_from_spec(spec)  # where Numba looks for it later
        spec.loader.exec_module(module)
        return module


kernel = cache(Kernel)
"""The kernel of a cell, made once in a process."""


def cache_folder() -> Path:
    """Where compiled cells are kept: in the user's cache folder, or, if that cannot be written to, in the temporary one."""
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "recurrent-ablations"
    with suppress(OSError):
        usual.mkdir(parents=True, exist_ok=True)
        if os.access(usual, os.W_OK):
            return usual
    return Path(gettempdir()) / f"recurrent-ablations-{getuser()}"


@cache
def _foundation() -> str:
    """All else that a compiled cell depends on, and that Numba's own cache does not look at."""
    texts = [Path(str(module.__file__)).read_text() for module in (lanes, functions, matrices, products)]
    return "".join([*texts, numba.__version__, str(lanes.LANES)])
