"""Validates how a task of a user's own is declared: a frozen dataclass, with the fields that every task has, of plain data."""

from dataclasses import fields
from inspect import get_annotations
from typing import Any

from ablations.errors import UserError
from ablations.plain import PLAIN, plain
from tasks import Task

DECORATOR = "@dataclass(frozen=True, kw_only=True)"

NEEDED = {
    "shortest": "`shortest: int | None = None`",
    "difficulty_sampling": '`difficulty_sampling: Literal["uniform", "logarithmic"] = "uniform"`',
}
"""The fields of every task, beside the one that its `difficulty` names."""


def check_fields(label: str, task: Task) -> None:
    """Raises `UserError`, in one line, where a task's parameters cannot be changed, compared and recorded.

    A parameter is a field of a frozen dataclass: `mixture`, `at` and `grid` make other forms of a task by its fields, and
    what is recorded of a task are its fields, when the study begins. Fields that can be given by position break nothing.
    """
    if wrong := _undeclared(task) or _misdeclared(task) or _unrecordable(task):
        raise UserError(f"the task {label!r} {wrong}")


def _undeclared(task: Task) -> str | None:
    """What is no field although it is annotated in a class: of a subclass without a decorator of its own, for example."""
    kind = type(task)
    if not (dataclass := getattr(kind, "__dataclass_params__", None)):
        return f"is no dataclass: write {DECORATOR} above `class {kind.__name__}`"
    if not dataclass.frozen:
        return f"can be changed after it was recorded: write {DECORATOR} above `class {kind.__name__}`"
    for base in kind.__mro__[: kind.__mro__.index(Task)]:
        for name, annotation in get_annotations(base).items():
            if "ClassVar" not in str(annotation) and not name.startswith("_") and name not in _fields(task):
                return f"has {name!r}, which is no field: write {DECORATOR} above `class {base.__name__}`"
    return None


def _misdeclared(task: Task) -> str | None:
    difficulty: Any = getattr(task, "difficulty", None)
    if not isinstance(difficulty, str):
        return (
            'has no `difficulty`: the name of the field that makes it harder, as `difficulty: ClassVar[str] = "length"`'
        )
    if missing := [name for name in (difficulty, *NEEDED) if name not in _fields(task)]:
        wanted = [f"`{difficulty}`, its difficulty", *NEEDED.values()]
        return f"has no field {missing[0]!r}; every task has {', '.join(wanted)}"
    return None


def _unrecordable(task: Task) -> str | None:
    for name in _fields(task):
        try:
            plain(getattr(task, name))
        except ValueError as error:
            return f"has the parameter {name!r}, which is {error}; parameters are {PLAIN}"
    return None


def _fields(task: Any) -> list[str]:
    return [field.name for field in fields(task)]
