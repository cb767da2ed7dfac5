"""Fingerprints of code: what a definition, and all that it uses, says apart from comments, docstrings and layout.

Static: the source files are parsed, and a definition's names are followed through imports. Code of installed libraries
is not followed; the record holds their versions.
"""

import ast
import sys
import sysconfig
import tokenize
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

PACKAGES = ("tasks", "ablations")
"""The packages of this project that can change a number."""

NOT_FOLLOWED = {
    "ablations.models.cells:CELLS",  # registries: every setting would depend on every cell
    "ablations.models:MODELS",
    "tasks:TASKS",
    "ablations.models.cell_check:check_cell",  # checks: they refuse, and compute nothing
    "ablations.registry:check_known",
    "ablations.registry:look_up",
}

COMPILER = "ablations.models.kernels"
"""The kernel generator is not followed: what it generates is in the fingerprint of a cell instead."""


class Place(NamedTuple):
    """A definition at the top level of a module."""

    module: str
    name: str


def fingerprint(*roots: type | str) -> str:
    """A hash of the code of some classes or "module:name" places, and of all definitions that they use.

    Annotations, docstrings, comments, messages of errors and layout do not count.
    """
    return _digest(f"{place.name}\n{_definition(place).text}" for place in definitions(*roots))


def definitions(*roots: type | str) -> set[Place]:
    """The places of some classes or "module:name" places, and of all definitions that they use."""
    pending, reached = [_place(root) for root in roots], set[Place]()
    while pending:
        place = pending.pop()
        if place not in reached:
            reached.add(place)
            pending += _definition(place).uses
    return reached


@cache
def module_fingerprint(*modules: str) -> str:
    """A hash of the whole code of some modules of this project."""
    return _digest(normalised(Path(str(_file(module))).read_text(encoding="utf-8")) for module in modules)


def normalised(text: str) -> str:
    """Code without what cannot change a number.

    >>> normalised('def f(x: int) -> int:  # twice\\n    "Doubles."\\n    return 2 * x')
    'def f(x):\\n    return 2 * x'
    """
    return ast.unparse(_normalised(ast.parse(text)))


class _Definition(NamedTuple):
    """The normalised code of a definition, and the definitions that it names."""

    text: str
    uses: tuple[Place, ...]


@cache
def _definition(place: Place) -> _Definition:
    code = _normalised(ast.Module(_statements(place), []))
    return _Definition(ast.unparse(code), tuple(dict.fromkeys(_uses(place.module, code))))


def _normalised(code: ast.Module) -> ast.Module:
    return ast.fix_missing_locations(_Normaliser().visit(ast.parse(ast.unparse(code))))


class _Normaliser(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return ast.Pass() if is_text else self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self._without_pass(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._without_pass(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        """Which error is raised matters (a refused length is a result), its message does not."""
        return ast.Raise(node.exc.func if isinstance(node.exc, ast.Call) else node.exc, None)

    def _without_pass(self, node: ast.FunctionDef | ast.ClassDef) -> ast.AST:
        self.generic_visit(node)
        node.body = [part for part in node.body if not isinstance(part, ast.Pass)] or [ast.Pass()]
        return node


def _digest(texts: Iterable[str]) -> str:
    return sha256("\n\n".join(sorted(texts)).encode()).hexdigest()[:16]


def _place(root: type | str) -> Place:
    if isinstance(root, str):
        return Place(*root.split(":"))
    return Place(root.__module__, root.__qualname__.partition(".")[0])


def _uses(module: str, code: ast.Module) -> Iterator[Place]:
    """The definitions of followed modules that some code of a module names."""
    nodes = list(ast.walk(code))
    local = _imported(node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom))
    for node in nodes:
        if isinstance(node, ast.Name):
            yield from _followed(local.get(node.id, Place(module, node.id)))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = node.value.id
            target = local.get(name) or _imported(_top_level(module).get(name, ())).get(name)
            if target and not target.name:  # an attribute of a module
                yield from _followed(Place(target.module, node.attr))
    if any(isinstance(node, ast.ImportFrom) for node in code.body):  # a name that is handed on
        yield from (place for target in local.values() for place in _followed(target))


def _followed(place: Place) -> Iterator[Place]:
    """The place, where its module is followed and defines it."""
    is_cut = f"{place.module}:{place.name}" in NOT_FOLLOWED or place.module.startswith(COMPILER)
    if place.name and not is_cut and _is_own(place.module) and place.name in _top_level(place.module):
        yield place


def _imported(statements: Iterable[ast.stmt]) -> dict[str, Place]:
    """name -> what import statements bind it to; a module has no name in its place."""
    bound: dict[str, Place] = {}
    for statement in statements:
        if isinstance(statement, ast.Import):
            bound |= {a.asname or a.name.partition(".")[0]: Place(a.name, "") for a in statement.names}
        elif isinstance(statement, ast.ImportFrom) and statement.module:
            for alias in statement.names:
                inner = f"{statement.module}.{alias.name}"
                is_module = _is_own(statement.module) and _file(inner) is not None
                place = Place(inner, "") if is_module else Place(statement.module, alias.name)
                bound[alias.asname or alias.name] = place
    return bound


def _statements(place: Place) -> list[ast.stmt]:
    """The statements that define a name; an import statement is narrowed to that name."""
    narrowed: list[ast.stmt] = []
    for statement in _top_level(place.module).get(place.name, []):
        if isinstance(statement, ast.ImportFrom):
            names = [a for a in statement.names if (a.asname or a.name) == place.name]
            narrowed.append(ast.ImportFrom(statement.module, names, statement.level))
        else:
            narrowed.append(statement)
    return narrowed


@cache
def _top_level(module: str) -> dict[str, list[ast.stmt]]:
    """name -> the statements at the top level of a module that bind it, those inside `if` and `try` as a whole."""
    file = _file(module)
    if file is None:
        return {}
    with tokenize.open(file) as source:
        tree = ast.parse(source.read())
    bound: dict[str, list[ast.stmt]] = {}
    for statement in tree.body:
        for name in _bound(statement):
            bound.setdefault(name, []).append(statement)
    return bound


def _bound(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.partition(".")[0] for alias in statement.names}
    stored = (node for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    inner = (name for node in ast.iter_child_nodes(statement) if isinstance(node, ast.stmt) for name in _bound(node))
    return {node.id for node in stored} | set(inner)


@cache
def _is_own(module: str) -> bool:
    """Whether a module is of this project, or of the user's own files beside a study's file."""
    if module.partition(".")[0] in PACKAGES:
        return True
    file = _file(module)
    installed = [Path(path).resolve() for path in sysconfig.get_paths().values()]
    return file is not None and not any(file.is_relative_to(path) for path in installed)


@cache
def _file(module: str) -> Path | None:
    """The Python file of a module that is imported, or could be."""
    name = getattr(sys.modules.get(module), "__file__", None)
    if name is None:
        try:
            spec = find_spec(module)
        except (ImportError, ValueError):
            return None
        name = spec.origin if spec else None
    return Path(name).resolve() if name and name.endswith(".py") else None
