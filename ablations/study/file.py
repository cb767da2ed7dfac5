"""Loading a study's file: a Python file of a user's own that defines `STUDY`, and perhaps tasks, cells and models."""

import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from traceback import extract_tb
from typing import Any

from pydantic import ValidationError

from ablations.errors import UserError, in_one_line
from ablations.models import CELLS, MODELS, Cell
from ablations.models.cell_check import AS_A_MODEL, check_cell
from ablations.models.equations import equations
from ablations.study.study import Study
from tasks import TASKS

REGISTRIES: Mapping[str, dict[str, Any]] = {"cell": CELLS, "model": MODELS, "task": TASKS}
"""What a file may enter things of its own into, under names of their own."""

PACKAGE_FOLDERS = [Path(__file__).parents[1], Path(__file__).parents[2] / "tasks"]


def load_study(path: str, reserved_names: Collection[str]) -> Study:
    """The study that a Python file defines as `STUDY`.

    The file becomes a module whose name follows from the file's name alone: every process that loads it knows its
    classes by the same names. It can import the other files of its folder, but they take no installed module's place.

    Raises `UserError` where there is no such file, where it has an error, or where its study has a reserved name.
    """
    if not Path(path).is_file():
        raise UserError(f"there is no study file {path}")
    with _registries_restored_on_error():
        study = _executed(path).get("STUDY")
        if not isinstance(study, Study):
            raise UserError(f"{path} defines no STUDY of type ablations.study.Study")
        if study.name in reserved_names:
            raise UserError(f"{path}: its study is named {study.name!r} like a built-in one; give it a name of its own")
        try:
            _check_cells(study)
        except UserError as error:
            raise UserError(f"{path}: {error}") from error
    return study


def own_cells(study: Study) -> list[type[Cell]]:
    """The cells of a study that are not built in."""
    cells = [variant.cell for variant in study.variants]
    return list(dict.fromkeys(cell for cell in cells if cell and not _is_built_in(cell)))


def _executed(path: str) -> dict[str, Any]:
    """The variables of the file's module; an error in it becomes a `UserError` of one line."""
    before = {kind: dict(registry) for kind, registry in REGISTRIES.items()}
    try:
        variables = _module_variables(Path(path).resolve())
    except ValidationError as error:
        raise UserError(f"{_where(path, error)}: {in_one_line(error)}") from error
    except SyntaxError as error:
        file = path if error.filename in (None, str(Path(path).resolve())) else error.filename
        raise UserError(f"{file}, line {error.lineno}: {error.msg}") from error
    except Exception as error:
        kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
        raise UserError(f"{_where(path, error)}: {kind}{error}") from error
    for kind, registry in REGISTRIES.items():
        for name, entry in before[kind].items():
            if _is_built_in(entry) and registry.get(name) is not entry:
                raise UserError(f"{path}: its {kind} is named {name!r} like a built-in one; give it a name of its own")
    return variables


def _module_variables(file: Path) -> dict[str, Any]:
    name = f"study_file_{file.stem}"
    spec = spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = module_from_spec(spec)  # pickle finds its classes there
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))
    writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # leave no files beside the user's
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        sys.dont_write_bytecode = writes_bytecode
    return vars(module)


@contextmanager
def _registries_restored_on_error() -> Iterator[None]:
    before = [(registry, dict(registry)) for registry in REGISTRIES.values()]
    try:
        yield
    except BaseException:
        for registry, entries in before:
            registry.clear()
            registry.update(entries)
        raise


def _check_cells(study: Study) -> None:
    """Raises `UserError` where the step of an own cell cannot be right, or cannot be written as equations."""
    for cell in own_cells(study):
        check_cell(cell)
        try:
            equations(cell)
        except Exception as error:  # whatever the author's code does on symbols
            kind = type(error).__name__
            message = f"the step of the cell {cell.name!r} is no equations: {kind}: {' '.join(str(error).split())}"
            raise UserError(f"{message}; {AS_A_MODEL}") from error


def _is_built_in(entry: Any) -> bool:
    module: str = getattr(entry, "func", entry).__module__
    return module.partition(".")[0] in ("ablations", "tasks")


def _where(path: str, error: Exception) -> str:
    """The last line of the user's own files that the error came through, as "file, line n"."""
    file = Path(path).resolve()
    frames = [frame for frame in extract_tb(error.__traceback__) if _is_users(Path(frame.filename), file.parent)]
    if not frames:
        return path
    last = frames[-1]
    return f"{path if last.filename == str(file) else last.filename}, line {last.lineno}"


def _is_users(file: Path, folder: Path) -> bool:
    """Whether a file is in the user's folder, and neither an installed library's nor of this project."""
    is_library = "site-packages" in file.parts or any(file.is_relative_to(package) for package in PACKAGE_FOLDERS)
    return file.is_relative_to(folder) and not is_library
