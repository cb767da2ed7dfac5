"""The normal form of code: what it computes, without comments, docstrings, layout, annotations and messages of errors."""

import ast
from collections.abc import Iterable, Iterator

IGNORED_FIELDS = {"ctx", "kind", "type_comment"}
"""Fields of syntax nodes that follow from the others, or that are comments."""


def normal_form(code: str | Iterable[ast.stmt], labels: frozenset[str] = frozenset()) -> str:
    """A text that is equal for two pieces of code that compute the same by the same statements.

    Assignments of `labels` in the body of a class do not count. The text is the same on all versions of Python.

    >>> normal_form("def f(x: int) -> int:  # twice\\n    'Doubles.'\\n    return 2 * x") == normal_form(
    ...     "def f(x): return 2*x"
    ... )
    True
    """
    return as_text(normalised(code, labels))


def as_text(statements: Iterable[ast.stmt]) -> str:
    """Statements as a text that is the same on all versions of Python."""
    return "\n".join(map(_text, statements))


def normalised(code: str | Iterable[ast.stmt], labels: frozenset[str] = frozenset()) -> list[ast.stmt]:
    """Copies of the statements, without what cannot change a number."""
    text = code if isinstance(code, str) else "\n".join(ast.unparse(statement) for statement in code)
    module: ast.Module = _Normaliser(labels).visit(ast.parse(text))
    return module.body


class _Normaliser(ast.NodeTransformer):
    def __init__(self, labels: frozenset[str]) -> None:
        self._labels = labels

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_Pass(self, node: ast.Pass) -> None:
        return None

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """In a class an annotation can make a field of a dataclass: whether there is one counts, not which one."""
        node.body = [self._attribute(part) for part in node.body if not _assigns_only(part, self._labels)]
        return self.generic_visit(node)

    def _attribute(self, node: ast.stmt) -> ast.stmt:
        if isinstance(node, ast.AnnAssign) and "ClassVar" not in ast.unparse(node.annotation):
            targets: list[ast.expr] = [node.target]
            return ast.Assign(targets, ast.Tuple([ast.Constant("field"), *([node.value] if node.value else [])]))
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        return self.generic_visit(ast.Assign([node.target], node.value)) if node.value else None

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        """Which error is raised counts (a refused length is a result), its message does not."""
        return ast.Raise(node.exc.func if isinstance(node.exc, ast.Call) else node.exc, None)

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        return self.generic_visit(ast.Assert(node.test, None))


def _assigns_only(statement: ast.stmt, names: frozenset[str]) -> bool:
    """Whether a statement assigns to these names and to nothing else."""
    if not isinstance(statement, ast.Assign | ast.AnnAssign):
        return False
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    parts = [part for target in targets for part in (target.elts if isinstance(target, ast.Tuple) else [target])]
    return all(isinstance(part, ast.Name) and part.id in names for part in parts)


def _text(node: object) -> str:
    """A syntax node as text. `ast.dump` writes other texts on other versions of Python."""
    if isinstance(node, list):
        return "[" + ", ".join(map(_text, node)) + "]"
    if isinstance(node, ast.AST):
        return f"{type(node).__name__}({', '.join(_fields(node))})"
    return repr(node)


def _fields(node: ast.AST) -> Iterator[str]:
    for name, value in ast.iter_fields(node):
        is_empty = value is None or (isinstance(value, list) and not value)
        if name not in IGNORED_FIELDS and not is_empty:
            yield f"{name}={_text(value)}"
