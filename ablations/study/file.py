"""Loading a study's file: a Python file of a user's own that defines `STUDY`, and perhaps tasks, cells and models."""

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple

from pydantic import ValidationError

from ablations.errors import UserError, in_one_line, shortened
from ablations.models import CELLS, MODELS, Cell
from ablations.models.cell_check import AS_A_MODEL, NO_BRANCH, check_cell
from ablations.models.equations import equations
from ablations.models.variant import Variant
from ablations.models.variants import VARIANTS
from ablations.registry import nearest
from ablations.study.own import is_built_in, is_own, own_cells, where
from ablations.study.study import Study
from tasks import TASKS

REGISTRIES: Mapping[str, dict[str, Any]] = {"cell": CELLS, "model": MODELS, "task": TASKS}
"""What a file may enter things of its own into, under names of their own."""

PACKAGES = ("tasks", "ablations", "reports")
"""The packages of this project."""


class Contents(NamedTuple):
    """What a file defines: its `STUDY`, if there is one, and the names that it has entered, as kind -> names."""

    study: Study | None
    own: Mapping[str, list[str]]


def load_contents(path: str, reserved_names: Collection[str]) -> Contents:
    """What a Python file of a user's own defines: its `STUDY`, or cells, models and tasks without one.

    The file becomes a module whose name follows from the file's name alone: every process that loads it knows its
    classes by the same names. It can import the other files of its folder, but they take no installed module's place.

    Raises `UserError` where there is no such file, where it has an error, where nothing in it is of its own, or where
    its study has a reserved name.
    """
    with _registries_restored_on_error():
        contents = _contents(path)
        study = contents.study
        if study is None and not any(contents.own.values()):
            raise UserError(f"{path} {NO_STUDY}")
        if study is not None and study.name in reserved_names:
            raise UserError(f"{path}: its study is named {study.name!r} like a built-in one; give it a name of its own")
        _check_cells(path, own_cells(study) if study else [CELLS[name] for name in contents.own["cell"]])
    return contents


def load_study(path: str, reserved_names: Collection[str]) -> Study:
    """The study that a Python file defines as `STUDY`. Raises `UserError` as `load_contents` does, and where it has none."""
    with _registries_restored_on_error():
        contents = load_contents(path, reserved_names)
        if contents.study is None:
            raise UserError(f"{path} {NO_STUDY}; {_what_instead(path, contents.own)}")
    return contents.study


NO_STUDY = "defines no STUDY of type ablations.study.Study"


def _what_instead(path: str, own: Mapping[str, list[str]]) -> str:
    """What a file without a study has, and the command that takes it."""
    for kind in ("cell", "model"):
        if own[kind]:
            return f"it defines the {kind} {own[kind][0]!r}; `ablate try {quote(path)}` compares it"
    return f"it defines the task {own['task'][0]!r}; `ablate new study NAME` shows how a study asks about it"


def load_own_variants(path: str) -> list[Variant]:
    """What a file has to compare: the variants of its `STUDY` with a cell or model of its own; else one of each of these.

    Raises `UserError` where there is no such file, where it has an error, or where nothing in it is of its own.
    """
    with _registries_restored_on_error():
        study, own = _contents(path)
        if study is not None:
            variants = [variant for variant in study.variants if is_own(variant)]
        else:
            variants = [Variant(name, "recurrent", {"cell": name}) for name in own["cell"]]
            variants += [Variant(name, name) for name in own["model"]]
        if not variants:
            raise UserError(f"{path} has neither a cell in CELLS nor a model in MODELS of its own")
        _check_cells(path, [variant.cell for variant in variants if variant.cell and not is_built_in(variant.cell)])
    return variants


def _contents(path: str) -> Contents:
    if not Path(path).is_file():
        raise UserError(f"there is no file {path}")
    before = {kind: dict(registry) for kind, registry in REGISTRIES.items()}
    study = _executed(path).get("STUDY")
    own = {
        kind: [name for name, entry in registry.items() if before[kind].get(name) is not entry]
        for kind, registry in REGISTRIES.items()
    }
    return Contents(study if isinstance(study, Study) else None, own)


def _executed(path: str) -> dict[str, Any]:
    """The variables of the file's module; an error in it becomes a `UserError` of one line."""
    before = {kind: dict(registry) for kind, registry in REGISTRIES.items()}
    try:
        variables = _module_variables(Path(path).resolve())
    except ValidationError as error:
        raise UserError(f"{where(path, error)}: {in_one_line(error)}") from error
    except SyntaxError as error:
        file = path if error.filename in (None, str(Path(path).resolve())) else error.filename
        raise UserError(f"{file}, line {error.lineno}: {error.msg}") from error
    except ImportError as error:
        raise UserError(f"{where(path, error)}: {error}{_shadowed(path, error)}") from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # also what ends the program
        kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
        raise UserError(f"{where(path, error)}: {kind}{shortened(str(error))}{_meant(error)}") from error
    for kind, registry in REGISTRIES.items():
        for name, entry in before[kind].items():
            if is_built_in(entry) and registry.get(name) is not entry:
                raise UserError(f"{path}: its {kind} is named {name!r} like a built-in one; give it a name of its own")
    return variables


def _shadowed(path: str, error: ImportError) -> str:
    """What to say where a module of this project has the name of a file beside the user's, which was meant."""
    name = (error.name or "").partition(".")[0]
    beside = Path(path).resolve().with_name(f"{name}.py")
    if name not in PACKAGES or not beside.exists():
        return ""
    return f"; the module {name!r} is this project's own and not {beside}: rename that file"


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


def _check_cells(path: str, cells: Iterable[type[Cell]]) -> None:
    """Raises `UserError` where the step of an own cell cannot be right, or cannot be written as equations."""
    try:
        for cell in cells:
            _check_cell(cell)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _meant(error: BaseException) -> str:
    """What was probably meant where a name is in none of the registries."""
    if not isinstance(error, KeyError) or not error.args or not isinstance(error.args[0], str):
        return ""
    near = nearest(error.args[0], [name for each in (VARIANTS, *REGISTRIES.values()) for name in each])
    return f"; did you mean {near!r}?" if near else ""


def _check_cell(cell: type[Cell]) -> None:
    check_cell(cell)
    try:
        equations(cell)
    except Exception as error:  # whatever the author's code does on symbols
        kind = type(error).__name__
        message = f"the step of the cell {cell.name!r} is no equations: {kind}: {' '.join(str(error).split())}"
        hint = NO_BRANCH if "truth value" in str(error) else AS_A_MODEL
        raise UserError(f"{message}; {hint}") from error
