"""The modules that can change a number: where their files are, and what their statements bind."""

import ast
import sys
import sysconfig
import tokenize
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("tasks", "ablations")
"""The packages of this project that can change a number."""

REGISTRIES = {"CELLS", "MODELS", "TASKS", "VARIANTS", "CLAIMS"}
"""What is entered into these is no part of what else its module defines."""


@cache
def is_own(module: str) -> bool:
    """Whether a module is of this project, or of a user's own files; installed libraries are not."""
    package = module.partition(".")[0]
    if package in PACKAGES:
        return True
    folder = _folder(package)
    library = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")}
    return (
        folder is not None
        and not any(folder.is_relative_to(path) for path in library)
        and {"site-packages", "dist-packages"}.isdisjoint(folder.parts)
    )


@cache
def file_of(module: str) -> Path | None:
    """The Python file of a module that is imported, or could be."""
    name = getattr(sys.modules.get(module), "__file__", None)
    if name is None:
        try:
            spec = find_spec(module)
        except (ImportError, ValueError):
            return None
        name = spec.origin if spec else None
    return Path(name).resolve() if name and name.endswith(".py") else None


def _folder(package: str) -> Path | None:
    """The folder that a module or package at the top is in; None for one that is built in."""
    if file := file_of(package):
        return file.parent
    try:
        spec = find_spec(package)
    except ValueError:
        return None
    places = list(spec.submodule_search_locations or []) if spec else []
    return Path(places[0]).resolve() if places else None


@cache
def top_level(module: str) -> dict[str, list[ast.stmt]]:
    """name -> the statements at the top level of a module that bind it or change it.

    Statements inside `if` and `try` are taken as a whole. A statement that changes none of the module's own definitions,
    as `torch.set_default_dtype(torch.float64)`, may act on all of them.
    """
    bound: dict[str, list[ast.stmt]] = {}
    acting: list[ast.stmt] = []
    for statement in _parsed(module):
        if _is_script(statement):
            continue
        for name in _bound(statement):
            bound.setdefault(name, []).append(statement)
        changed = _changed(statement) - REGISTRIES
        for name in changed & _defined(bound):
            bound[name].append(statement)
        if changed - _defined(bound):
            acting.append(statement)
    return {name: [*statements, *acting] for name, statements in bound.items()}


def _parsed(module: str) -> Iterator[ast.stmt]:
    """The statements of a module; its imports by absolute names, those of * as imports of each name."""
    file = file_of(module)
    if file is None:
        return
    with tokenize.open(file) as source:
        tree = ast.parse(source.read())
    package = module.split(".") if file.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            node.module, node.level = ".".join([*base, *([node.module] if node.module else [])]), 0
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*" and is_own(str(statement.module)):
            names = [name for name in top_level(str(statement.module)) if not name.startswith("_")]
            yield ast.ImportFrom(statement.module, [ast.alias(name) for name in names], 0)
        else:
            yield statement


def _is_script(statement: ast.stmt) -> bool:
    """Whether a statement is for a file that is run as a script: `if __name__ == "__main__":`."""
    return isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test)


def _defined(bound: dict[str, list[ast.stmt]]) -> set[str]:
    """The names that are bound by other statements than imports."""
    return {name for name, parts in bound.items() if not isinstance(parts[0], ast.Import | ast.ImportFrom)}


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement binds."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.partition(".")[0] for alias in statement.names}
    stored = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return stored.union(*(_bound(node) for node in ast.iter_child_nodes(statement) if isinstance(node, ast.stmt)))


def _changed(statement: ast.stmt) -> set[str]:
    """The names of what a statement changes in place: `a` in `a.b = 1`, `a[0] = 1` and `a.append(1)`; "" for `f(1)`."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return set()
    changed = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            changed.add(_root(node))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = node.value.func
            changed.add("" if isinstance(called, ast.Name) else _root(called))
    return changed


def _root(node: ast.expr) -> str:
    """The name that an expression begins with, "" where it begins with something else."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
