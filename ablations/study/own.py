"""What of a study is a user's own: cells, models, tasks; and where in a user's files an error comes from."""

import sys
from collections.abc import Mapping
from pathlib import Path
from traceback import extract_tb
from typing import Any

from ablations.errors import UserError, user_errors
from ablations.models import MODELS, Cell
from ablations.models.variant import Variant
from ablations.study.plan import Plan
from ablations.study.study import Study
from tasks import Task

PACKAGE_FOLDERS = [Path(__file__).parents[1], Path(__file__).parents[2] / "tasks"]


def is_built_in(entry: Any) -> bool:
    """Whether a class, or a `partial` of one, is of this project."""
    module: str = getattr(entry, "func", entry).__module__
    return module.partition(".")[0] in ("ablations", "tasks")


def own_cells(study: Study) -> list[type[Cell]]:
    """The cells of a study that are not built in."""
    cells = [variant.cell for variant in study.variants]
    return list(dict.fromkeys(cell for cell in cells if cell and not is_built_in(cell)))


def own_models(study: Study | Plan) -> list[str]:
    """The names of the models of a study that are not built in."""
    names = dict.fromkeys(variant.model for variant in study.variants)
    return [name for name in names if not is_built_in(MODELS[name])]


def own_tasks(tasks: Mapping[str, Task]) -> dict[str, Task]:
    """label -> task, of those that are not built in."""
    return {label: task for label, task in tasks.items() if not is_built_in(type(task))}


def is_own(variant: Variant) -> bool:
    """Whether a variant's cell or model is not built in."""
    parts = [MODELS[variant.model], *([variant.cell] if variant.cell else [])]
    return not all(map(is_built_in, parts))


def failure(what: str, code: type, error: Exception) -> Exception:
    """An error that a user's class has raised, as one line with its file and line; what is one line already stays."""
    if isinstance(error, user_errors()):
        return error
    file = getattr(sys.modules.get(code.__module__), "__file__", None) or code.__module__
    message = " ".join(str(error).split())
    return UserError(f"{what}: {where(_from_here(file), error)}: {type(error).__name__}: {message}")


def where(path: str, error: BaseException) -> str:
    """The last line of the user's own files that the error came through, as "file, line n"."""
    file = Path(path).resolve()
    frames = [frame for frame in extract_tb(error.__traceback__) if _is_users(Path(frame.filename), file.parent)]
    if not frames:
        return path
    last = frames[-1]
    return f"{path if last.filename == str(file) else last.filename}, line {last.lineno}"


def _from_here(file: str) -> str:
    """A path as it is seen from the working folder, if it is below that."""
    path = Path(file).resolve()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _is_users(file: Path, folder: Path) -> bool:
    """Whether a file is in the user's folder, and neither an installed library's nor of this project."""
    is_library = "site-packages" in file.parts or any(file.is_relative_to(package) for package in PACKAGE_FOLDERS)
    return file.is_relative_to(folder) and not is_library
