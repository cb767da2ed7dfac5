"""What is installed: every package that is imported is declared, and every file that is read is shipped."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("tasks", "ablations", "reports")
SIDE = ("benchmarks", "examples", "tests")
OWN = {*PACKAGES, *SIDE, "builders"}
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
INSTALLED = packages_distributions()
PACKAGE_DATA = PYPROJECT["tool"]["setuptools"]["package-data"]


def declared(requirements: list[str]) -> set[str]:
    """The normalised names of some requirements."""
    return {normalised(re.split(r"[<>=!~\[; ]", requirement)[0]) for requirement in requirements}


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(folder: str) -> dict[str, str]:
    """Top-level module -> a file that imports it, of all that are neither Python's own nor the project's."""
    names: dict[str, str] = {}
    files = list((ROOT / folder).rglob("*.py"))
    own = OWN | {path.stem for path in files if path.parent == ROOT / folder}
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            else:
                modules = [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            names |= {module.split(".")[0]: str(path.relative_to(ROOT)) for module in modules}
    return {name: path for name, path in names.items() if name not in own | sys.stdlib_module_names}


def distributions(module: str) -> set[str]:
    """Those that bring a module along; of one that is not installed, as JAX may be, the module's own name."""
    return {normalised(name) for name in INSTALLED.get(module, [module])}


DEPENDENCIES = declared(PYPROJECT["project"]["dependencies"])
EXTRAS = declared([each for extra in PYPROJECT["project"]["optional-dependencies"].values() for each in extra])


TEXT = declared(PYPROJECT["project"]["optional-dependencies"]["text"])
CLUSTER = declared(PYPROJECT["project"]["optional-dependencies"]["cluster"])


@pytest.mark.parametrize("folder", PACKAGES)
def test_what_a_package_imports_is_a_dependency(folder: str) -> None:
    """Or, for what is imported only where it is asked for, in an extra: text of the tasks, cluster of the executor for Ray."""
    known = DEPENDENCIES | {"tasks": TEXT, "ablations": CLUSTER}.get(folder, set())
    missing = {name: path for name, path in imported(folder).items() if not distributions(name) & known}
    assert not missing


@pytest.mark.long
def test_the_extra_text_is_only_needed_by_who_asks_for_it() -> None:
    script = "import sys, tasks; assert not {'babel', 'num2words'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)


@pytest.mark.long
@pytest.mark.parametrize(("task", "package"), [("dates", "babel"), ("numbers", "num2words")])
def test_without_the_extra_text_the_command_says_what_to_install(task: str, package: str) -> None:
    script = (
        f"import sys; sys.modules['{package}'] = None; sys.argv = ['ablate', 'show', '{task}']; "
        "from ablations.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    expected = f"error: the task {task} needs the package {package}; first: pip install 'recurrent-ablations[text]'\n"
    assert (done.returncode, done.stderr) == (2, expected)


@pytest.mark.parametrize("folder", SIDE)
def test_what_tests_and_benchmarks_import_is_a_dependency_or_in_an_extra(folder: str) -> None:
    known = DEPENDENCIES | EXTRAS
    missing = {name: path for name, path in imported(folder).items() if not distributions(name) & known}
    assert not missing


def test_every_dependency_is_imported() -> None:
    used = set().union(*(distributions(name) for folder in PACKAGES for name in imported(folder)))
    assert used >= DEPENDENCIES


def test_every_dependency_has_an_exact_version_in_the_constraints() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
    pinned = {normalised(line.partition("==")[0]) for line in lines}
    assert pinned >= DEPENDENCIES | declared(PYPROJECT["project"]["optional-dependencies"]["dev"]) | TEXT | CLUSTER


@pytest.mark.parametrize("package", PACKAGES)
def test_every_file_that_is_no_python_is_package_data(package: str) -> None:
    folder = ROOT / package
    files = {path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}
    assert files
    assert not {str(path.relative_to(ROOT)) for path in files - shipped(folder)}


def shipped(folder: Path) -> set[Path]:
    """The files below a folder that the globs of the package data match, each seen from its own package."""
    paths: set[Path] = set()
    for marker in folder.rglob("__init__.py"):
        name = ".".join(marker.parent.relative_to(ROOT).parts)
        for pattern in [*PACKAGE_DATA.get("*", []), *PACKAGE_DATA.get(name, [])]:
            paths.update(marker.parent.glob(pattern))
    return paths


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_with_modules_is_a_package(package: str) -> None:
    folders = {path.parent for path in (ROOT / package).rglob("*.py")}
    assert all((folder / "__init__.py").is_file() for folder in folders)
