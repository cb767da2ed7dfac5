"""The questions, one file each."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from traceback import extract_tb

from pydantic import ValidationError

from ablations.errors import UserError
from ablations.models import CELLS, Cell
from ablations.models.cell_check import check_cell
from ablations.models.equations import equations
from ablations.registry import look_up
from ablations.studies import claims, direction, gru_ablation, lstm_ablation, pooling, rnn_ablation
from ablations.study import Study

STUDIES: dict[str, Study] = {
    module.STUDY.name: module.STUDY
    for module in (claims, lstm_ablation, gru_ablation, rnn_ablation, direction, pooling)
}
"""Every study by name."""


def find(name: str) -> Study:
    """The study of that name, or the one that a Python file of that path defines as `STUDY`.

    Raises `UserError` where there is none, or where the file has an error.
    """
    if not name.endswith(".py"):
        return look_up(STUDIES, name, "study")
    if not Path(name).is_file():
        raise UserError(f"there is no study file {name}")
    before = dict(CELLS)
    try:
        defined = runpy.run_path(name).get("STUDY")
    except ValidationError as error:
        raise UserError(f"{name}: {in_one_line(error)}") from error
    except SyntaxError as error:
        raise UserError(f"{name}, line {error.lineno}: {error.msg}") from error
    except Exception as error:
        kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
        raise UserError(f"{name}, line {_line_in(name, error)}: {kind}{error}") from error
    if not isinstance(defined, Study):
        raise UserError(f"{name} defines no STUDY of type ablations.study.Study")
    if defined.name in STUDIES:
        raise UserError(f"{name}: its study is named {defined.name!r} like a built-in one; give it a name of its own")
    _check_cells(name, defined, before)
    return defined


def _check_cells(file: str, study: Study, before: Mapping[str, type[Cell]]) -> None:
    """Raises `UserError` where a cell of the file's own takes a built-in one's name, or has a step that is no equations."""
    for name, known in before.items():
        if _is_built_in(known) and CELLS[name] is not known:
            CELLS[name] = known
            raise UserError(f"{file}: its cell is named {name!r} like a built-in one; give it a name of its own")
    cells = own_cells(study)
    try:
        for cell in cells:
            check_cell(cell)
    except UserError as error:
        raise UserError(f"{file}: {error}") from error
    for cell in cells:
        try:
            equations(cell)
        except Exception as error:  # whatever the author's code does on symbols
            kind = type(error).__name__
            raise UserError(f"{file}: the step of the cell {cell.name!r} is no equations: {kind}: {error}") from error


def own_cells(study: Study) -> list[type[Cell]]:
    """The cells that a study's file brings along."""
    cells = [variant.cell for variant in study.variants]
    return list(dict.fromkeys(cell for cell in cells if cell and not _is_built_in(cell)))


def _is_built_in(cell: type[Cell]) -> bool:
    return cell.__module__.startswith("ablations.")


def _line_in(file: str, error: Exception) -> int | None:
    """The line of the file that the error came through last."""
    return next((frame.lineno for frame in reversed(extract_tb(error.__traceback__)) if frame.filename == file), None)


def in_one_line(error: ValidationError) -> str:
    """What is wrong with some parameters, in one line: the first finding, and where."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    given = f", got {first['input']!r}" if isinstance(first["input"], int | float | str) else ""
    message = first["msg"].removeprefix("Value error, ")
    return f"{error.title}: {where + ': ' if where else ''}{message}{given}"
