"""Fingerprints of code: a hash of a definition, and of all definitions that it uses.

The source files are parsed, not run: names are followed through imports, from module to module. What is followed is the
code of this project and of the user's own files. Installed libraries are not: the record holds their versions.
"""

import ast
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from ablations.errors import UserError
from ablations.models.cell import Cell
from ablations.study.modules import file_of, is_own, top_level
from ablations.study.normal_form import as_text, normal_form, normalised

NOT_FOLLOWED = {
    "ablations.models.cells:CELLS",  # registries: every setting would depend on every entry
    "ablations.models:CELLS",
    "ablations.models:MODELS",
    "ablations.train.optimisers:OPTIMISERS",
    "tasks:TASKS",
    "ablations.checks",  # they refuse, and compute nothing
    "ablations.plain",  # as above: the values themselves are in an identity
    "ablations.registry",
    "ablations.study.fields",
    "ablations.models.cell_check",
    "ablations.models.declaration",
    "ablations.models.kernels",  # the kernel generator: what it generates is in a setting's identity instead
}
"""Modules and "module:name" places where following ends."""

LABELS = frozenset({"parent", "change"})
"""The attributes of a cell that say what it is compared to. They change no number of the cell itself."""


class Place(NamedTuple):
    """A definition at the top level of a module; a whole module where the name is empty."""

    module: str
    name: str


def fingerprint(*roots: type | str) -> str:
    """A hash of the code of some classes or "module:name" places, and of all definitions that they use."""
    return _digest(f"{place.name}\n{_definition(place).text}" for place in definitions(*roots))


def definitions(*roots: type | str) -> set[Place]:
    """The places of some classes or "module:name" places, and of all definitions that they use."""
    pending, reached = [place for root in roots for place in _places(root)], set[Place]()
    while pending:
        place = pending.pop()
        if place not in reached:
            reached.add(place)
            pending += _definition(place).uses
    return reached


@cache
def module_fingerprint(*modules: str) -> str:
    """A hash of the whole code of some modules of this project."""
    return _digest(normal_form(Path(str(file_of(module))).read_text(encoding="utf-8")) for module in modules)


class _Definition(NamedTuple):
    """The normal form of a definition, and the definitions that it names."""

    text: str
    uses: tuple[Place, ...]


@cache
def _definition(place: Place) -> _Definition:
    statements, labels = _statements(place), LABELS if _is_cell(place) else frozenset[str]()
    code = normalised(statements, labels)
    return _Definition(as_text(code), tuple(dict.fromkeys(_uses(place.module, code))))


def _is_cell(place: Place) -> bool:
    definition = getattr(sys.modules.get(place.module), place.name, None)
    return isinstance(definition, type) and issubclass(definition, Cell)


def _digest(texts: Iterable[str]) -> str:
    return sha256("\n\n".join(sorted(texts)).encode()).hexdigest()[:16]


def _places(root: type | str) -> list[Place]:
    """Where a class is defined, and the names that its module has for it: it may be what a function has returned."""
    if isinstance(root, str):
        return [Place(*root.split(":"))]
    variables = vars(sys.modules[root.__module__]).items()
    names = [root.__qualname__.partition(".")[0], *(name for name, value in variables if value is root)]
    places = [Place(root.__module__, name) for name in dict.fromkeys(names) if name in top_level(root.__module__)]
    if not places:
        raise UserError(f"the code of {root.__name__} cannot be read; define it in a Python file")
    return places


def _uses(module: str, code: list[ast.stmt]) -> Iterator[Place]:
    """The definitions that some code of a module names."""
    imports = [node for part in code for node in ast.walk(part) if isinstance(node, ast.Import | ast.ImportFrom)]
    local = _imported(imports)
    for chain in (chain for part in code for chain in _chains(part)):
        yield from _targets(module, local, chain)
    if any(isinstance(part, ast.ImportFrom) for part in code):  # a name that is imported to be handed on
        yield from (place for target in local.values() for place in _followed(target))


def _chains(node: ast.AST) -> Iterator[list[str]]:
    """The names in some code, each with the attributes that follow it: a.b.c as ["a", "b", "c"]."""
    attributes: list[str] = []
    inner = node
    while isinstance(inner, ast.Attribute):
        attributes.insert(0, inner.attr)
        inner = inner.value
    if isinstance(inner, ast.Name):
        if isinstance(inner.ctx, ast.Load):
            yield [inner.id, *attributes]
    else:
        for child in ast.iter_child_nodes(inner):
            yield from _chains(child)


def _targets(module: str, local: dict[str, Place], chain: list[str]) -> Iterator[Place]:
    """The definitions that a name with its attributes stands for."""
    name, *attributes = chain
    if name not in local:
        yield from _followed(Place(module, name))
    target = local.get(name) or _imported(top_level(module).get(name, ())).get(name)
    if target is None or not is_own(target.module):
        return
    while not target.name and attributes:
        target = _member(target.module, attributes.pop(0))
    names = [target.name] if target.name else top_level(target.module)  # a module that is passed on as a whole
    yield from (place for name in names for place in _followed(Place(target.module, name)))


def _followed(place: Place) -> Iterator[Place]:
    """The place, where it is code that is followed."""
    parts = place.module.split(".")
    modules = {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
    is_cut = not NOT_FOLLOWED.isdisjoint({*modules, f"{place.module}:{place.name}"})
    if place.name and not is_cut and is_own(place.module) and place.name in top_level(place.module):
        yield place


def _imported(statements: Iterable[ast.stmt]) -> dict[str, Place]:
    """name -> what import statements bind it to."""
    bound: dict[str, Place] = {}
    for statement in statements:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                package = alias.name.partition(".")[0]
                bound[alias.asname or package] = Place(alias.name if alias.asname else package, "")
        elif isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                bound[alias.asname or alias.name] = _member(str(statement.module), alias.name)
    return bound


def _member(module: str, name: str) -> Place:
    """What `module.name` is: a module below it, or a definition in it."""
    inner = f"{module}.{name}"
    is_module = is_own(module) and name not in top_level(module) and file_of(inner) is not None
    return Place(inner, "") if is_module else Place(module, name)


def _statements(place: Place) -> list[ast.stmt]:
    """The statements that define a name, and those that act on the whole module; an import is narrowed to that name."""
    narrowed: list[ast.stmt] = []
    for statement in top_level(place.module).get(place.name, []):
        if isinstance(statement, ast.ImportFrom):
            names = [a for a in statement.names if (a.asname or a.name) == place.name]
            narrowed.append(ast.ImportFrom(statement.module, names, statement.level))
        elif isinstance(statement, ast.Import):
            names = [a for a in statement.names if (a.asname or a.name.partition(".")[0]) == place.name]
            narrowed.append(ast.Import(names))
        else:
            narrowed.append(statement)
    return narrowed
