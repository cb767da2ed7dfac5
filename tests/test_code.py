"""What a definition's fingerprint covers: whatever runs, in whatever form Python code names it."""

import ast
import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from builders.small_study import carry_out

from ablations.errors import UserError
from ablations.models.variant import Variant
from ablations.run.executors import SerialExecutor
from ablations.study import Study, code
from ablations.study import modules as code_modules
from ablations.study.code import Place, definitions
from ablations.study.identity import roots
from ablations.study.normal_form import normal_form

ROOT = Path(__file__).parents[1]
TRACED = ("tasks", "ablations/models", "ablations/train", "ablations/study/seeds.py")
TRACED_IN_PARENT = ("ablations/run/cohort_runner.py", "ablations/run/outcomes.py", "ablations/search.py")
UNTRACED = ("ablations/models/kernels", "ablations/models/cell_check.py", "ablations/models/transforms.py")
# What opens the search's storage, says why a run ended, and chooses the network that is kept: it gives no number.
NO_NUMBERS = {
    Place("ablations.search", "storage_at"),
    Place("ablations.run.outcomes", "end_reason"),
    Place("ablations.run.outcomes", "best_replicate"),
}
MEAN = {"cell": "lstm", "pooling": "mean", "forget_bias": "chrono", "direction": "both"}
SETTINGS = [
    (Variant("attention", "bilstm-attention", {"cell": "gru"}), "adam"),
    (Variant("mean", "recurrent", MEAN), "rmsprop"),
    (Variant("reservoir", "reservoir"), "sgd"),
]


@contextmanager
def tracing(codes: set[CodeType]) -> Iterator[None]:
    """Collects the code that runs."""

    def note(frame: FrameType, event: str, argument: Any) -> None:
        codes.add(frame.f_code)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(before)


class TracedExecutor(SerialExecutor):
    """Collects the code that jobs run."""

    def __init__(self) -> None:
        super().__init__()
        self.codes: set[CodeType] = set()

    def next_result(self) -> tuple[int, Any]:
        with tracing(self.codes):
            return super().next_result()


def places(codes: set[CodeType], traced: tuple[str, ...]) -> set[Place]:
    """The definitions that code is part of, by its line."""
    reached = set()
    for each in codes:
        path = Path(each.co_filename)
        name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else ""
        if name.startswith(traced) and not name.startswith(UNTRACED) and each.co_name != "<module>":
            module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            reached.add(Place(module, definition_at(path, each.co_firstlineno)))
    return reached


def definition_at(path: Path, line: int) -> str:
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        decorators = getattr(statement, "decorator_list", [])
        first = min([statement.lineno, *(decorator.lineno for decorator in decorators)])
        if first <= line <= (statement.end_lineno or first):
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement
            return str(getattr(target, "name", getattr(target, "id", "")))
    raise AssertionError(f"{path} has no statement at line {line}")


@pytest.mark.parametrize(("variant", "optimiser"), SETTINGS, ids=[variant.name for variant, _ in SETTINGS])
def test_all_code_that_a_setting_runs_is_in_its_fingerprint(
    study: Study, changed: Callable[..., Study], tmp_path: Path, variant: Variant, optimiser: str
) -> None:
    tasks = {"adding": study.scales["smoke"].tasks["adding"]}
    scales = {"smoke": replace(study.scales["smoke"], tasks=tasks)}
    one = changed(study, variants=(variant,), baseline=variant.name, scales=scales, optimiser=optimiser)
    executor, codes = TracedExecutor(), set[CodeType]()
    with tracing(codes):
        carry_out(one, tmp_path, executor)
    plan = one.at("smoke")
    covered = definitions(*roots(plan.data, plan.settings[0]))
    reached = places(executor.codes, TRACED) | places(codes, TRACED_IN_PARENT)
    assert len(reached) > 20
    assert reached - covered - NO_NUMBERS == set()


NEIGHBOUR = "USED = 1\nUNUSED = 1\ndef used(): return 1\ndef unused(): return 1\nclass Used: value = 1\nclass Unused: value = 1\n"
# forms in which a class uses USED, used or Used of a neighbour, and nothing else of it
FORMS = {
    "a name": "from {n} import USED\nclass Own: value = USED",
    "a name under another name": "from {n} import USED as other\nclass Own: value = other",
    "a module": "import {n}\nclass Own: value = {n}.USED",
    "a module under another name": "import {n} as other\nclass Own: value = other.used()",
    "a module in a package": "import {n}_package.inner\nclass Own: value = {n}_package.inner.USED",
    "a module from a package": "from {n}_package import inner\nclass Own: value = inner.USED",
    "a name that a package hands on": "from {n}_package import USED\nclass Own: value = USED",
    "a relative import": "from {n}_package.outer import double\nclass Own: value = double()",
    "all names": "from {n} import *\nclass Own: value = USED",
    "an import in a method": "class Own:\n    def value(self):\n        from {n} import used\n        return used()",
    "a module imported in a method": "class Own:\n    def value(self):\n        import {n}\n        return {n}.used()",
    "a base": "from {n} import Used\nclass Own(Used): pass",
    "a metaclass": "from {n} import Used\nclass Meta(type): other = Used\nclass Own(metaclass=Meta): pass",
    "a decorator": "from {n} import used\ndef mark(x):\n    used()\n    return x\n@mark\nclass Own: pass",
    "a decorator with arguments": "from {n} import USED\ndef mark(n): return lambda x: x\n@mark(USED)\nclass Own: pass",
    "a constant": "from {n} import USED\nTABLE = [USED]\nclass Own: value = TABLE",
    "a constant that is filled later": "from {n} import USED\nTABLE = []\nTABLE.append(USED)\nclass Own: value = TABLE",
    "a constant in a branch": "from {n} import USED\nif USED:\n    N = 1\nelse:\n    N = 2\nclass Own: value = N",
    "an attribute set later": "from {n} import USED\nclass Own: pass\nOwn.value = USED",
    "a default": "from {n} import USED\nclass Own:\n    def value(self, x=USED): return x",
    "a closure": "from {n} import USED\ndef make(n):\n    class Own: value = n\n    return Own\nOwn = make(USED)",
    "a call on the whole module": "from {n} import used\ndef setup(): used()\nsetup()\nclass Own: pass",
    "a lambda": "from {n} import USED\nclass Own: value = staticmethod(lambda: USED)",
    "a comprehension": "from {n} import USED\nclass Own:\n    def value(self): return [USED for x in range(3)]",
}  # fmt: skip


def write(folder: Path, name: str, form: str, neighbour: str) -> None:
    """A user's file, and in other files the module and the package that it uses."""
    package = folder / f"{name}_near_package"
    package.mkdir(exist_ok=True)
    (folder / f"{name}_near.py").write_text(neighbour)
    (package / "inner.py").write_text(neighbour)
    (package / "__init__.py").write_text("from .inner import USED")
    (package / "outer.py").write_text("from . import inner\ndef double(): return 2 * inner.USED")
    (folder / f"{name}.py").write_text(form.format(n=f"{name}_near"))


@pytest.fixture
def edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], str]]:
    """(form, text of the neighbour) -> the fingerprint of the class `Own` of a user's file of that form."""
    monkeypatch.syspath_prepend(tmp_path)
    modules = set(sys.modules)

    def fingerprint_of(form: str, neighbour: str) -> str:
        name = f"own{FORM_NUMBERS[form]}"
        write(tmp_path, name, form, neighbour)
        for function in (code._definition, code_modules.is_own, code_modules.file_of, code_modules.top_level):
            function.cache_clear()
        return code.fingerprint(importlib.import_module(name).Own)

    yield fingerprint_of
    for name in set(sys.modules) - modules:
        del sys.modules[name]


FORM_NUMBERS = {form: number for number, form in enumerate(FORMS.values())}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_what_a_users_class_uses_of_its_neighbours_is_in_its_fingerprint(
    edited: Callable[[str, str], str], form: str
) -> None:
    before = edited(form, NEIGHBOUR)
    used = NEIGHBOUR.replace("USED = 1\nUN", "USED = 2\nUN").replace("used(): return 1\ndef", "used(): return 2\ndef")
    used = used.replace("Used: value = 1\nclass", "Used: value = 2\nclass")
    unused = NEIGHBOUR.replace("UNUSED = 1", "UNUSED = 2").replace("unused(): return 1", "unused(): return 2")
    unused = unused.replace("Unused: value = 1", "Unused: value = 2")
    assert edited(form, NEIGHBOUR + "# a comment") == before
    assert edited(form, unused) == before
    assert edited(form, used) != before


def test_a_module_that_is_handed_on_as_a_whole_counts_as_a_whole(edited: Callable[[str, str], str]) -> None:
    form = "import {n}\nclass Own: value = getattr({n}, 'U' + 'SED')"
    FORM_NUMBERS[form] = len(FORM_NUMBERS)
    assert edited(form, NEIGHBOUR) != edited(form, NEIGHBOUR.replace("USED = 1", "USED = 2"))


def test_a_class_without_a_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["typed_by_hand"] = type(sys)("typed_by_hand")
    monkeypatch.setitem(sys.modules, "typed_by_hand", module)
    exec("class Own: pass", vars(module))
    with pytest.raises(UserError, match="the code of Own cannot be read"):
        code.fingerprint(module.Own)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("def f(x):\n    return x", "def f(x: int) -> int:\n    '''Same.'''\n    return (x)  # x", True),
        ("x: int = 3", "x = 3", True),
        ("class A:\n    x: int = 3", "class A:\n    x: float = 3", True),
        ("class A:\n    x: ClassVar[int] = 3", "class A:\n    x = 3", True),
        ("class A:\n    x: int = 3", "class A:\n    x = 3", False),
        ("class A:\n    x: int\n    y: int", "class A:\n    y: int\n    x: int", False),
        ("raise ValueError('a')", "raise ValueError('b')", True),
        ("raise ValueError('a')", "raise KeyError('a')", False),
        ("assert x, 'a'", "assert x, 'b'", True),
        ("f = 1.0", "f = 1", False),
        ("x = 'a'", "x = 'b'", False),
        ("x = f'{y:.3f}'", 'x = f"{y:.3f}"', True),
        ("x = f'{y:.3f}'", "x = f'{y:.4f}'", False),
        ("def f():\n    return None", "def f():\n    return 0", False),
        ("def f(*, x): pass", "def f(x): pass", False),
        ("x = {**y}", "x = {None: y}", False),
        ("x = [1, [2]]", "x = [[1], 2]", False),
    ],
)
def test_the_normal_form_keeps_what_is_computed_and_nothing_else(one: str, other: str, same: bool) -> None:
    assert (normal_form(one) == normal_form(other)) == same


def test_the_normal_form_is_the_same_on_all_pythons() -> None:
    text = "def f(x, *y, z=1, **k):\n    '''Doc.'''\n    return f'{x!r:>{z}}' + (lambda: -1.5)()"
    assert sha256(normal_form(text).encode()).hexdigest()[:8] == "58da9fa4"
