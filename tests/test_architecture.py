"""The house: three rooms in a row, and imports that only ever point left."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("tasks", "ablations", "reports")
FRONT_DOORS = (*(ROOT / "ablations" / "cli").glob("*.py"), ROOT / "ablations" / "__init__.py")
INNER = (
    "credentials",
    "errors",
    "checks",
    "plain",
    "collection",
    "registry",
    "sqlite",
    "outages",
    "home",
    "stages",
    "processes",
    "servers",
    "models",
    "nn",
    "study",
    "studies",
    "train",
    "samplers",
    "pruners",
    "search",
    "record",
    "run",
    "plan_text",
    "describe",
    "cli",
)
FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc"}


def _modules() -> Iterator[Path]:
    for room in ROOMS:
        yield from (ROOT / room).rglob("*.py")


def _imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(str(node.module))
    return names


@pytest.mark.parametrize("path", [path for path in _modules() if path not in FRONT_DOORS], ids=str)
def test_imports_point_left(path: Path) -> None:
    own = ROOMS.index(path.relative_to(ROOT).parts[0])
    for name in _imports(path):
        if name.split(".")[0] in ROOMS:
            assert ROOMS.index(name.split(".")[0]) <= own, f"{path} imports {name}"


@pytest.mark.parametrize("path", list((ROOT / "ablations").rglob("*.py")), ids=str)
def test_inside_ablations_imports_point_left_too(path: Path) -> None:
    own = path.relative_to(ROOT / "ablations").parts[0].removesuffix(".py")
    for name in _imports(path):
        parts = name.split(".")
        if parts[0] == "ablations" and len(parts) > 1 and own in INNER:
            assert INNER.index(parts[1]) <= INNER.index(own), f"{path} imports {name}"


def test_the_drop_in_layers_are_a_front_of_the_models_and_nobody_else_uses_it() -> None:
    assert _imports(ROOT / "ablations" / "nn.py") == {"ablations.models.torch_layers"}
    assert not [path for path in _modules() if "ablations.nn" in _imports(path)]


def test_reports_know_the_record_and_nothing_else_of_ablations() -> None:
    for path in (ROOT / "reports").rglob("*.py"):
        known = {name for name in _imports(path) if name.split(".")[0] in ("ablations", "tasks")}
        assert all(name.startswith("ablations.record.") for name in known), path


def test_tasks_know_no_models() -> None:
    assert all(name != "torch.nn" for path in (ROOT / "tasks").rglob("*.py") for name in _imports(path))


def test_the_front_doors_load_other_rooms_only_when_they_are_asked() -> None:
    script = (
        "import sys, ablations, ablations.cli; assert not {'reports', 'tasks', 'torch', 'pandas'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.long
def test_reports_never_load_torch() -> None:
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in (ROOT / "reports").rglob("*.py")]
    script = f"import sys, {', '.join(modules)}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.long
def test_the_record_never_loads_torch() -> None:
    files = (ROOT / "ablations" / "record").glob("*.py")
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files]
    script = f"import sys, {', '.join(modules)}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_mlflow_is_imported_in_one_place_which_silences_it_first() -> None:
    importing = [path for path in _modules() if any(name.split(".")[0] == "mlflow" for name in _imports(path))]
    assert importing == [ROOT / "ablations" / "record" / "store.py"]


@pytest.mark.long
def test_workers_never_load_mlflow() -> None:
    script = "import sys, ablations.train.segment, ablations.train.evaluation; assert 'mlflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_no_room_is_a_dumping_ground() -> None:
    assert not {path.stem for path in _modules()} & FORBIDDEN_NAMES


def test_files_stay_readable() -> None:
    long = {str(path): n for path in _modules() if (n := len(path.read_text().splitlines())) > 260}
    assert not long


def test_nothing_draws_from_global_randomness() -> None:
    for path in _modules():
        text = path.read_text()
        assert "np.random.seed" not in text, path
        assert not any(f"np.random.{name}(" in text for name in ("rand", "randn", "randint", "choice", "uniform")), path


@pytest.mark.long
def test_a_plan_never_loads_the_compiler_of_torch() -> None:
    """It takes a second, and any random start or reduction on the meta device loads it."""
    script = (
        "import sys; from ablations.studies import STUDIES; STUDIES['claims'].at('smoke').identity; "
        "assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
