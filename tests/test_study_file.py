"""A study's file is a module like any other: it has neighbours, and its classes work in every process."""

import os
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from builders.small_study import carry_out, numbers
from click.testing import CliRunner

from ablations.cli import explaining
from ablations.errors import UserError
from ablations.models import CELLS, MODELS
from ablations.run.executors import ProcessExecutor
from ablations.studies import find
from ablations.study.file import load_study
from tasks import TASKS

STUDY = """
from ablations.models.variants import VARIANTS
from ablations.study import Budget, Range, Scale, Study
from tasks import TASKS
variants = (VARIANTS["rnn"],)
task = TASKS["adding"](length=4)
"""
END = """
budget = Budget(trials=1, trials_per_round=1, search_seeds=1, replicates=1, steps=2, segments=2, batch=4, parameters=99,
                validation=8, test=8)
STUDY = Study(name="own", question="?", variants=variants, baseline=variants[0].name, nuisance={"lr": Range(1e-3, 1e-1)},
              scales={"smoke": Scale(tasks={"task": task}, budget=budget)})
"""
OWN_TASK = """
from dataclasses import dataclass, field
from tasks import TASKS
from tasks.adding import Adding

@dataclass(frozen=True, kw_only=True)
class Sum(Adding):
    length: int = 4
TASKS["sum"] = Sum
"""
OWN_CLASSES = """
from dataclasses import dataclass
from typing import Any
from ablations.models import CELLS, MODELS, Network, Recurrent
from ablations.models.rnn import RNN
from ablations.models.variant import Variant
from tasks.adding import Adding
from torch import nn

@dataclass(frozen=True, kw_only=True)
class Sum(Adding):
    length: int = 4
    def loss(self, outputs: Any, batch: Any) -> Any:
        return super().loss(outputs, batch) * 2

class Halved(RNN):
    name = "rnn-halved"
    step = staticmethod(lambda f, a, s, v: {"h": f.tanh(a.h) / 2 + s.h / 2})
CELLS["rnn-halved"] = Halved

class Plain(Network):
    causal = True
    def __init__(self, spec: Any, size: int, cell: str = "rnn-halved") -> None:
        super().__init__(spec)
        self.recurrent = Recurrent(cell, self.encoder.size, size)
        self.head = nn.Linear(size, spec.outputs)
    def forward_encoded(self, x: Any, mask: Any) -> Any:
        return self.head(self.recurrent.forward_with_state(x, mask)[1])
MODELS["plain"] = Plain

variants = (Variant("plain", "plain"), Variant("rnn-halved", "recurrent", {"cell": "rnn-halved"}))
task = Sum(length=4)
"""


@pytest.fixture(autouse=True)
def all_is_as_before() -> Iterator[None]:
    before = [(registry, dict(registry)) for registry in (CELLS, MODELS, TASKS)]
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith(("study_file_", "neighbour")):
            del sys.modules[name]
    for registry, entries in before:
        registry.clear()
        registry.update(entries)


def file(folder: Path, *texts: str, name: str = "own.py") -> str:
    (folder / name).write_text("".join(texts), encoding="utf-8")
    return str(folder / name)


def test_a_file_imports_its_neighbours(tmp_path: Path) -> None:
    file(tmp_path, "LENGTH = 7", name="neighbour1.py")
    path = file(tmp_path, STUDY, "from neighbour1 import LENGTH\ntask = TASKS['adding'](length=LENGTH)\n", END)
    assert load_study(path, ()).scales["smoke"].tasks["task"].nominal == 7
    assert {entry.name for entry in tmp_path.iterdir()} == {"own.py", "neighbour1.py"}


def test_a_files_neighbours_take_no_place_of_this_projects_modules(tmp_path: Path) -> None:
    file(tmp_path, "raise SystemError", name="tasks.py")
    file(tmp_path, "raise SystemError", name="json.py")
    path = file(tmp_path, "import json\n", STUDY, END)
    done = subprocess.run(
        [sys.executable, "-c", f"from ablations.studies import find; print(find({path!r}).name)"],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
    )
    assert done.stdout == "own\n", done.stderr


@pytest.mark.parametrize(
    ("neighbour", "complaint"),
    [
        ("x = 1\ny = (", "neighbour2.py, line 2: '(' was never closed"),
        ("x = 1\n1 / 0", "neighbour2.py, line 2: ZeroDivisionError: division by zero"),
        ("x = 1\nfrom tasks import TASKS\nTASKS['adding'](length=0)", "neighbour2.py, line 3: Adding: length:"),
    ],
)
def test_an_error_in_a_neighbour_names_the_neighbour(tmp_path: Path, neighbour: str, complaint: str) -> None:
    file(tmp_path, neighbour, name="neighbour2.py")
    with pytest.raises(UserError) as raised:
        load_study(file(tmp_path, "import neighbour2\n", STUDY, END), ())
    assert complaint in str(raised.value)
    assert "study_file_own" not in sys.modules


def test_an_error_in_the_file_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"own\.py, line 2: ZeroDivisionError"):
        load_study(file(tmp_path, "x = 1\n1 / 0\n", STUDY, END), ())


def test_a_file_is_read_as_utf_8_in_every_locale(tmp_path: Path) -> None:
    path = file(tmp_path, STUDY, END.replace('"?"', '"größer?"'))
    done = subprocess.run(
        [sys.executable, "-c", f"from ablations.studies import find; print(ascii(find({path!r}).question))"],
        env=os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
    )
    assert done.stdout == "'gr\\xf6\\xdfer?'\n", done.stderr


def test_the_name_of_a_module_follows_from_the_files_name_alone(tmp_path: Path) -> None:
    names = set()
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        load_study(file(tmp_path / folder, STUDY, OWN_CLASSES, END), ())
        names.add(CELLS["rnn-halved"].__module__)
    assert names == {"study_file_own"}


def test_objects_of_a_files_classes_can_be_sent_to_other_processes(tmp_path: Path) -> None:
    plan = load_study(file(tmp_path, STUDY, OWN_CLASSES, END), ()).at("smoke")
    assert pickle.loads(pickle.dumps(plan.settings)) == plan.settings


@pytest.mark.parametrize(
    ("entry", "kind"),
    [("CELLS['lstm'] = CELLS['rnn']", "cell"), ("MODELS['tcn'] = MODELS['cnn']", "model"), ("del TASKS['france']", "task")],
)  # fmt: skip
def test_a_built_in_name_is_refused_and_stays(tmp_path: Path, entry: str, kind: str) -> None:
    before = dict(CELLS), dict(MODELS), dict(TASKS)
    path = file(tmp_path, STUDY, "from ablations.models import CELLS, MODELS\nCELLS['x'] = CELLS['rnn']\n", entry, END)
    with pytest.raises(UserError, match=f"its {kind} is named '.*' like a built-in one"):
        load_study(path, ())
    assert (dict(CELLS), dict(MODELS), dict(TASKS)) == before


def test_tasks_cells_and_models_of_a_file_are_trained(tmp_path: Path) -> None:
    study = find(file(tmp_path, STUDY, OWN_CLASSES, END))
    assert carry_out(study, tmp_path / "results").failures == 0
    assert len(numbers(study, tmp_path / "results")) == 4


@pytest.mark.long
def test_tasks_cells_and_models_of_a_file_are_trained_in_other_processes(tmp_path: Path) -> None:
    path = file(tmp_path, STUDY, OWN_CLASSES, END)
    study = find(path)
    carry_out(study, tmp_path / "serial")
    executor = ProcessExecutor(1, partial(find, path))
    try:
        assert carry_out(study, tmp_path / "processes", executor).failures == 0
    finally:
        executor.close()
    assert numbers(study, tmp_path / "processes") == numbers(study, tmp_path / "serial")


def test_another_module_named_tasks_is_named_in_one_line(tmp_path: Path) -> None:
    file(tmp_path, "mine = 1", name="tasks.py")
    script = file(tmp_path, f"import sys; sys.path.append({str(Path(__file__).parents[1])!r})\nimport ablations")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, env={"PATH": ""})
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"ImportError: 'import tasks' gives {tmp_path / 'tasks.py'}, but ablations needs")
    assert last.endswith("rename your own module tasks")


def show(path: str, *options: str) -> str:
    """What `ablate show` prints of a file; an error's line where it cannot."""
    outcome = CliRunner().invoke(explaining.show, [path, *options])
    return str(outcome.exception) if outcome.exception else outcome.output


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (OWN_CLASSES, "it defines the cell 'rnn-halved'; `ablate try own.py` compares it"),
        (OWN_CLASSES.replace('CELLS["rnn-halved"] = Halved', ""), "it defines the model 'plain'; `ablate try own.py`"),
        (OWN_TASK, "it defines the task 'sum'; `ablate new study NAME` shows how a study asks about it"),
        ("X = 1", "own.py defines no STUDY of type ablations.study.Study"),
    ],
    ids=["cell", "model", "task", "nothing"],
)
def test_of_a_file_without_a_study_it_is_said_what_it_has(
    text: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text(text)
    with pytest.raises(UserError, match=re.escape(hint)):
        load_study("own.py", ())
    assert "rnn-halved" not in CELLS
    assert "sum" not in TASKS


def test_what_a_file_without_a_study_defines_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text(OWN_TASK + OWN_CLASSES)
    shown = show("own.py")
    assert "h_t = tanh(W_h x_t + R_h h_{t-1} + b_h) / 2 + h_{t-1} / 2" in shown
    assert "The task sum: " in shown
    assert "Scores: chance 0.0784, perfect 1." in shown
    assert "The model plain: " in shown
    assert "hidden size and parameters on the task adding: " in shown
    assert "def " in show("own.py", "--source")


def test_what_is_shown_without_a_study_is_checked_as_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text(OWN_TASK.replace("    length: int = 4", "    length: int = field()"))
    assert "the task 'sum' cannot be made without parameters" in show("own.py")
    Path("own.py").write_text(
        OWN_TASK.replace('TASKS["sum"] = Sum', "")
        + "    def references(self): return {'chance': 0.0, 'perfect': 1.0}\nTASKS['sum'] = Sum\n"
    )
    assert "the task 'sum' has a chance of 0, but always answering" in show("own.py")


def test_a_file_with_nothing_of_its_own_has_nothing_to_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text("X = 1")
    assert show("own.py") == "own.py defines no STUDY of type ablations.study.Study"


def test_of_a_study_without_claims_it_is_said_which_its_report_judges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file(tmp_path, STUDY, END)
    shown = show("own.py", "--scale", "smoke")
    assert (
        "none of its own: its report judges the textbook's (`ablate list claims`) for which it has all networks"
        in shown
    )
    assert "`ablate new claim NAME` shows how to give one in their place" in shown
