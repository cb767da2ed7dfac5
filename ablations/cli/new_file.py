"""The command `new`: new files of a user's own, commented ones that run, made from templates."""

from collections.abc import Iterable, Iterator
from importlib.resources import files
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path

import click

from ablations.cli.called import called
from ablations.errors import LONGEST_GIVEN, UserError, shortened

LONGEST_MODULE = 60
"""Signs of a new file's name."""

FILES = ("cell", "task", "model", "study", "claim")
"""What a new file can have."""


@click.command()
@click.argument("kind", type=click.Choice(FILES))
@click.argument("name")
def new(kind: str, name: str) -> None:
    """Write a commented file NAME.py that runs.

    It has a cell, a task, a model, a study or a claim of your own.
    """
    for line in write_new(kind, name):
        click.echo(line)


def write_new(kind: str, name: str) -> Iterator[str]:
    """Writes NAME.py with a cell, task, model, study or claim; yields lines that say what to do with it.

    Raises `UserError` where the name cannot be one, is taken, or where there is such a file.
    """
    path = Path(f"{name}.py")
    _check_name(name)
    if path.exists():
        raise UserError(f"{path} exists already; give another name, or move that file away")
    parts = {"budgets": _template("budgets"), "name": name, "Name": "".join(map(str.capitalize, name.split("_")))}
    text = _template(kind)
    for part, value in parts.items():
        text = text.replace(f"{{{{ {part} }}}}", value)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
    own = called()
    yield f"{path} has a {kind} of your own. What to change is in its comments. Next:"
    if kind in ("cell", "model"):
        yield f"  {own} try {path}  # beside LSTM and GRU on four tasks: a page in some minutes"
    yield f"  {own} run {path} --scale smoke  # some seconds, to see that it runs"
    yield f"  {own} run {path} && {own} report {path}"


def _template(name: str) -> str:
    return files("ablations").joinpath("templates", f"{name}.py.txt").read_text(encoding="utf-8")


def _check_name(name: str) -> None:
    if len(name) > LONGEST_MODULE:
        shown = shortened(name, LONGEST_GIVEN)
        raise UserError(f"{shown!r} cannot be a name: it has {len(name)} signs; at most {LONGEST_MODULE}")
    if not name.isidentifier() or not name.isascii() or iskeyword(name) or name != name.lower():
        raise UserError(f"{name!r} cannot be a name: write small letters, digits and _, not beginning with a digit")
    if name in _taken():
        raise UserError(f"{name!r} is the name of something built in; give another name")
    if find_spec(name) is not None and not Path(f"{name}.py").exists():
        raise UserError(f"{name!r} is the name of an installed module, which the file would stand in the way of")


def _taken() -> Iterable[str]:
    from ablations.models import CELLS, MODELS
    from ablations.studies import STUDIES
    from tasks import TASKS

    return {*CELLS, *MODELS, *STUDIES, *TASKS}
