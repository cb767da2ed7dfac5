"""Checksums of what Numba keeps of a module: a file that was cut, changed or half-written is not loaded but made anew.

Numba itself would unpickle it: an error at each later start, or machine code that computes something else.
"""

import json
import shutil
from contextlib import suppress
from hashlib import sha256
from pathlib import Path


def drop_damaged(folder: Path, name: str) -> None:
    """Deletes all that Numba keeps of a module, unless it is as it was sealed. Only under the module's lock."""
    files = _files(folder, name)
    if files and _sums(files) != _sealed(folder, name):
        for file in files:
            if file.is_dir() and not file.is_symlink():
                shutil.rmtree(file)
            else:
                file.unlink()


def seal(folder: Path, name: str) -> None:
    """Writes down the checksums of all that Numba keeps of a module. Only under the module's lock.

    Where that is impossible, as on a full disk, the next process compiles again.
    """
    sums = _sums(_files(folder, name))
    if sums != _sealed(folder, name):
        part = folder / f"{name}.sums.part"
        with suppress(OSError):
            part.write_text(json.dumps(sums), encoding="utf-8")
            part.replace(_seal(folder, name))


def _files(folder: Path, name: str) -> list[Path]:
    return sorted((folder / "__pycache__").glob(f"{name}.*"))


def _seal(folder: Path, name: str) -> Path:
    return folder / f"{name}.sums"


def _sums(files: list[Path]) -> dict[str, str]:
    """File name -> checksum; none of what is no file."""
    return {file.name: sha256(file.read_bytes()).hexdigest() if file.is_file() else "" for file in files}


def _sealed(folder: Path, name: str) -> object:
    """What was sealed last; None where that cannot be read."""
    try:
        return json.loads(_seal(folder, name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
