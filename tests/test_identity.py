"""An edit of code changes the identities of the settings that use it, and of no others."""

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PRINT_IDENTITIES = """
import json, sys
from dataclasses import replace
from pathlib import Path
from ablations.models.variant import Variant
from ablations.studies.claims import SMOKE, STUDY
from ablations.study import code, modules
from ablations.study.identity import costs_identity

names = {"lstm": "recurrent", "gru": "recurrent", "reservoir": "reservoir", "feedforward": "feedforward"}
variants = tuple(Variant(name, model, {"cell": name} if model == "recurrent" else {}) for name, model in names.items())
tasks = {name: SMOKE.tasks[name] for name in ("adding", "copying")}
study = replace(STUDY, variants=variants, baseline="lstm", scales={"smoke": replace(SMOKE, tasks=tasks)})

def identities():
    for function in (code._definition, code.module_fingerprint, modules.is_own, modules.file_of, modules.top_level):
        function.cache_clear()
    rows = {"costs": costs_identity(SMOKE.costs, 0)}
    for optimiser in ("adam", "sgd"):
        plan = replace(study, optimiser=optimiser).at("smoke")
        rows |= {f"{optimiser}/{name}": value for name, value in plan.identities.items()}
    return rows

changes = []
before = identities()
for edit in json.load(sys.stdin):
    texts = {name: Path(name).read_text(encoding="utf-8") for name in edit}
    for name, text in edit.items():
        assert text != texts[name], name
        Path(name).write_text(text, encoding="utf-8")
    after = identities()
    changes.append(sorted(name for name in before if after[name] != before[name]))
    for name, text in texts.items():
        Path(name).write_text(text, encoding="utf-8")
print(json.dumps(changes))
"""
RECURRENT = ("lstm", "gru")
NETWORKS = (*RECURRENT, "reservoir", "feedforward")


def names(*networks: str, tasks: tuple[str, ...] = ("adding", "copying"), costs: bool = False) -> list[str]:
    settings = [f"{optimiser}/{task}/{n}" for optimiser in ("adam", "sgd") for task in tasks for n in networks]
    return sorted([*settings, *(["costs"] if costs else [])])


EVERYTHING = names(*NETWORKS, costs=True)
ADDING = names(*NETWORKS, tasks=("adding",), costs=True)  # costs are measured on the adding problem
# what is edited, its file, the text and what takes its place, and the settings whose numbers that changes
EDITS: dict[str, tuple[str, str, str, list[str]]] = {
    "a constant of a task": ("tasks/adding.py", "TOLERANCE = 0.04", "TOLERANCE = 0.05", ADDING),
    "the body of a task": ("tasks/adding.py", ".square().mean()", ".abs().mean()", ADDING),
    "another task": (
        "tasks/copying.py",
        "rng.integers(self.symbols,",
        "rng.integers(1, self.symbols,",
        names(*NETWORKS, tasks=("copying",)),
    ),
    "what all tasks share": ("tasks/task.py", "GRID = (1 / 16,", "GRID = (1 / 8,", EVERYTHING),
    "words that no task here has": ("tasks/words.py", "class Vocabulary", "OTHER = 1\n\n\nclass Vocabulary", []),
    "the head of a model": (
        "ablations/models/feedforward.py",
        "nn.Linear(size, outputs)",
        "nn.Linear(size, outputs, bias=False)",
        names("feedforward"),
    ),
    "the head of recurrent models": (
        "ablations/models/recurrent_models.py",
        "self.head = nn.Linear(self.recurrent.output_size, spec.outputs)",
        "self.head = nn.Linear(self.recurrent.output_size, spec.outputs, bias=False)",
        names(*RECURRENT, costs=True),
    ),
    "the reservoir's radius": (
        "ablations/models/recurrent_models.py",
        "spectral_radius = 0.95",
        "spectral_radius = 0.9",
        names("reservoir"),
    ),
    "a cell": (
        "ablations/models/lstm.py",
        "class LSTM(Cell):",
        "class LSTM(Cell):\n    edited = 1",
        names("lstm", costs=True),
    ),
    "the start of recurrent layers": (
        "ablations/models/recurrent.py",
        "bound = 1 / sqrt(self.hidden_size)",
        "bound = 2 / sqrt(self.hidden_size)",
        names(*RECURRENT, "reservoir", costs=True),
    ),
    "what kernels are made of": (
        "ablations/models/kernels/functions.py",
        "SATURATED = 9.0",
        "SATURATED = 8.0",
        EVERYTHING,
    ),
    "what compiled convolutions are made of": (
        "ablations/models/kernels/convolution.py",
        "HIGH = 4",
        "HIGH = 2",
        EVERYTHING,
    ),
    "a model that is not used": ("ablations/models/convolution.py", "kernel = 5", "kernel = 7", []),
    "the compiled part of a training step": (
        "ablations/models/kernels/training.py",
        "limit[r] / (sqrt(norm) + 1e-6)",
        "limit[r] / sqrt(norm)",
        EVERYTHING,
    ),
    "a training step": (
        "ablations/train/training.py",
        "lr = lr * torch.tensor(factors)",
        "lr = 2 * lr * torch.tensor(factors)",
        EVERYTHING,
    ),
    "adam": (
        "ablations/train/optimisers.py",
        "mean.lerp_(gradient, 0.1)",
        "mean.lerp_(gradient, 0.2)",
        sorted(["costs", *(name for name in names(*NETWORKS) if name.startswith("adam"))]),
    ),
    "an optimiser that is not used": ("ablations/train/optimisers.py", "addcmul_(gradient, gradient, value=0.01)", "neg()", []),
    "how a trial's outcome follows": (
        "ablations/run/outcomes.py",
        'for status in ("diverged", "pruned")',
        'for status in ("pruned", "diverged")',
        names(*NETWORKS),
    ),
    "the search": ("ablations/search.py", "values = dict(self._place)", "values = {}", names(*NETWORKS)),
    "the draws": ("ablations/study/space.py", "float(self.low + share", "float(share", names(*NETWORKS)),
    "a sampler": ("ablations/samplers.py", "constant_liar=True", "constant_liar=False", names(*NETWORKS)),
    "a schedule": ("ablations/train/schedule.py", '"linear": 1 - share', '"linear": 1 - share**2', EVERYTHING),
    "a curriculum": ("ablations/train/curriculum.py", "GROWTH = 0.5", "GROWTH = 0.4", names(*NETWORKS)),
    "how a start is chosen": (
        "ablations/models/initialisation.py",
        "of_inputs(gate)",
        "of_states(gate)",
        names(*RECURRENT, costs=True),
    ),
    "random streams": ("ablations/study/seeds.py", "SeedSequence([seed,", "SeedSequence([1, seed,", EVERYTHING),
    "an annotation": ("tasks/adding.py", "def spec(self) -> TaskSpec", "def spec(self)", []),
    "a docstring": ("tasks/adding.py", "Worked example", "An example", []),
    "a message": ("tasks/adding.py", "length must be at least", "it is too short: less than", []),
    "the words of progress": ("ablations/run/progress.py", '"starting"', '"begins"', []),
}  # fmt: skip


def in_other_layout() -> Iterator[tuple[str, str]]:
    """Every file as Python prints it: without comments, in another layout."""
    for package in ("tasks", "ablations"):
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            if text and (printed := ast.unparse(ast.parse(text))) != text:
                yield str(path.relative_to(ROOT)), printed


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[str]]:
    """edit -> the settings whose identity it changes, in a copy of this project."""
    folder = tmp_path_factory.mktemp("copy")
    for package in ("tasks", "ablations"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    edits = {}
    for name, (file, old, new, _) in EDITS.items():
        text = (ROOT / file).read_text(encoding="utf-8")
        assert text.count(old) >= 1, f"{file} has no {old!r}"
        edits[name] = {file: text.replace(old, new)}
    edits["layout and comments"] = dict(in_other_layout())
    environment = {"PYTHONPATH": str(folder), "PATH": "", "HOME": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", PRINT_IDENTITIES],
        input=json.dumps(list(edits.values())),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(edits, json.loads(done.stdout.splitlines()[-1]), strict=True))


together = pytest.mark.xdist_group("identity")  # in one process: their fixture takes half a minute


@pytest.mark.long
@together
@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_changes_the_identities_of_what_uses_it_alone(changes: Mapping[str, list[str]], edit: str) -> None:
    assert changes[edit] == EDITS[edit][3]


@pytest.mark.long
@together
def test_layout_and_comments_change_no_identity(changes: Mapping[str, list[str]]) -> None:
    assert changes["layout and comments"] == []
