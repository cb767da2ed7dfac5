"""A cell's source is compiled once for all processes of a machine, and not at all where there is no compiler."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
import torch

from ablations.models.cell import Cell
from ablations.models.cells import CELLS
from ablations.models.kernels import compilation
from ablations.models.kernels.compilation import Kernel, cache_folder
from ablations.models.kernels.seal import drop_damaged, seal
from ablations.models.kernels.source import source
from ablations.models.recurrent import RecurrentLayer
from ablations.run import provenance

WORK = """
import torch
from ablations.models.recurrent import RecurrentLayer
torch.manual_seed(0)
layer = RecurrentLayer("mgu", 3, 4)
layer(torch.randn(2, 5, 3))[0].sum().backward()
print(float(layer.weight.grad.double().sum()))
"""


def python(code: str, **environment: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", code]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | environment)


@pytest.mark.parametrize(
    ("hidden", "environment"),
    [("import sys; sys.modules['numba'] = None\n", {}), ("", {"NUMBA_DISABLE_JIT": "1"})],
    ids=["no Numba", "Numba switched off"],
)
def test_without_a_compiler_the_eager_backend_runs(hidden: str, environment: dict[str, str]) -> None:
    code = (
        f"{hidden}import torch; from ablations.models import Recurrent; from ablations.models.backends import backend_of\n"
        "from ablations.models.cells import CELLS\n"
        "Recurrent('lstm', 2, 3)(torch.zeros(1, 2, 2)).sum().backward(); print(backend_of(CELLS['lstm']))"
    )
    assert python(code, **environment).communicate()[0].strip() == "eager"


def test_provenance_without_numba_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def installed(name: str) -> str:
        if name == "numba":
            raise PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(provenance, "version", installed)
    versions = provenance.provenance("ablate run")["versions"]
    assert (versions["numba"], versions["torch"]) == ("absent", "1")


@pytest.mark.parametrize("cell", CELLS.values(), ids=str)
def test_the_source_of_a_cell_is_python_that_names_what_its_equations_name(cell: type[Cell]) -> None:
    text = source(cell)
    compile(text, cell.name, "exec")
    assert "def forward(" in text
    assert "def backward(" in text
    assert all(f"new_{state}" in text for state in cell.state)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, Path]]:
    """The usual cache folder and the one in place of it, both in a folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(compilation, "gettempdir", lambda: str(tmp_path))
    own = f"kernels-{os.geteuid()}"
    yield tmp_path / "cache" / "recurrent-ablations" / own, tmp_path / f"recurrent-ablations-{own}"
    compilation._folder_of_process.cache_clear()


def test_compiled_cells_are_kept_where_no_other_user_can_write(
    folders: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    usual, _ = folders
    assert cache_folder() == usual
    assert not caplog.messages
    assert usual.stat().st_mode & 0o077 == 0


def test_a_cache_folder_that_cannot_be_made_is_replaced_and_that_is_said_once(
    folders: tuple[Path, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").touch()
    assert cache_folder() == cache_folder() == folders[1]
    assert caplog.messages == [f"compiled cells cannot be kept in {folders[0]}, so they are kept in {folders[1]}"]


def test_a_user_without_a_home_or_a_name_has_a_cache_folder(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(_: object) -> None:
        raise KeyError("no such user")

    for name in ("XDG_CACHE_HOME", "HOME", "USER", "LOGNAME", "USERNAME", "LNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", nobody)
    assert cache_folder() == folders[1]


@pytest.mark.parametrize("open_to", [0o020, 0o002])
def test_a_folder_that_others_may_write_to_is_not_used(folders: tuple[Path, Path], open_to: int) -> None:
    for folder in folders:
        folder.mkdir(parents=True)
        folder.chmod(0o700 | open_to)
    private = cache_folder()
    assert private not in folders
    assert private.stat().st_mode & 0o077 == 0
    assert private == cache_folder()


def test_a_folder_of_another_user_is_not_used(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in folders:
        folder.mkdir(parents=True)
    owner = os.geteuid()
    monkeypatch.setattr("os.geteuid", lambda: owner + 1)
    for folder in folders:  # laid there with the name that this user's own would have
        folder.rename(folder.with_name(folder.name.replace(f"kernels-{owner}", f"kernels-{owner + 1}")))
    private = cache_folder()
    assert not [folder for folder in folders if private.parent == folder.parent and "kernels" in private.name]


def test_a_link_to_another_folder_is_not_used(folders: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    for folder in folders:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.symlink_to(tmp_path / "elsewhere")
    assert cache_folder().resolve() != tmp_path / "elsewhere"


def test_a_source_that_was_changed_on_disk_is_not_executed(folders: tuple[Path, Path]) -> None:
    Kernel("rnn", source(CELLS["rnn"]))
    (path,) = folders[0].glob("*.py")
    path.write_text("raise SystemExit", encoding="utf-8")
    assert Kernel("rnn", source(CELLS["rnn"])).workspace("forward", 1, 1, 1) > 0
    assert path.read_text(encoding="utf-8") == source(CELLS["rnn"])


def test_a_cells_name_is_any_text_that_is_no_path(folders: tuple[Path, Path]) -> None:
    for name in ("a:b", "λ", '"""', "{a}", "x..y"):
        Kernel(name, source(type("Named", (CELLS["rnn"],), {"name": name})))
    assert len(list(folders[0].glob("*.py"))) == 5


def test_a_locale_that_is_not_utf_8_is_no_hindrance(tmp_path: Path) -> None:
    code = (
        "import locale; assert locale.getpreferredencoding(False).lower() not in ('utf-8', 'utf8')\n"
        "from ablations.models.cells import CELLS; from ablations.models.kernels.compilation import kernel\n"
        "print(kernel(CELLS['gru']).workspace('forward', 1, 1, 1) > 0)"
    )
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert python(code, XDG_CACHE_HOME=str(tmp_path), **ascii_only).communicate()[0].strip() == "True"


DAMAGES: dict[str, Callable[[Path], object]] = {
    "emptied": lambda file: file.write_bytes(b""),
    "cut": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "one bit": lambda file: _flip(file),
    "deleted": lambda file: file.unlink(),
    "a folder": lambda file: (file.unlink(), file.mkdir()),
}


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-100] ^= 1
    file.write_bytes(content)


def _computed() -> float:
    """What a small layer computes, with a kernel that is loaded again."""
    compilation.kernel.cache_clear()
    torch.manual_seed(0)
    layer = RecurrentLayer("mgu", 3, 4)
    layer(torch.randn(2, 5, 3))[0].sum().backward()
    return float(layer.weight.grad.double().sum())


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("victim", ["m.f.nbi", "m.f.1.nbc"])
def test_all_that_is_kept_of_a_module_is_dropped_once_a_part_is_damaged(
    victim: str, damage: str, tmp_path: Path
) -> None:
    cache = tmp_path / "__pycache__"
    cache.mkdir()
    for name in ("m.f.nbi", "m.f.1.nbc", "other.f.nbi"):
        (cache / name).write_bytes(name.encode() * 99)
    seal(tmp_path, "m")
    drop_damaged(tmp_path, "m")
    assert len(list(cache.iterdir())) == 3
    DAMAGES[damage](cache / victim)
    drop_damaged(tmp_path, "m")
    assert [path.name for path in cache.iterdir()] == ["other.f.nbi"]


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}"])
def test_what_has_no_seal_is_dropped(content: str | None, tmp_path: Path) -> None:
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "m.f.nbi").write_text("x")
    if content is not None:
        (tmp_path / "m.sums").write_text(content)
    drop_damaged(tmp_path, "m")
    assert not list((tmp_path / "__pycache__").iterdir())


@pytest.mark.long
def test_what_was_compiled_and_then_damaged_is_made_anew(folders: tuple[Path, Path]) -> None:
    expected = _computed()
    for ending, damage in ((".nbi", "cut"), (".nbc", "one bit")):
        (file,) = (path for path in folders[0].rglob(f"*{ending}") if "backward" in path.name)
        DAMAGES[damage](file)
        assert _computed() == expected
    before = {file: file.stat().st_mtime_ns for file in folders[0].rglob("*.nb?")}
    assert len(before) == 4
    assert _computed() == expected
    assert {file: file.stat().st_mtime_ns for file in folders[0].rglob("*.nb?")} == before
    compilation.kernel.cache_clear()


@pytest.mark.long
def test_processes_share_what_one_of_them_compiled_even_if_it_is_killed(tmp_path: Path) -> None:
    victim = python(WORK, XDG_CACHE_HOME=str(tmp_path))
    while not list(tmp_path.rglob("*.py")):
        assert victim.poll() is None, "it ended before it compiled anything"
        time.sleep(0.02)
    time.sleep(0.5)  # in the middle of compiling
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    assert victim.returncode == -signal.SIGKILL
    together = [python(WORK, XDG_CACHE_HOME=str(tmp_path)) for _ in range(3)]
    printed = {process.communicate()[0] for process in together}
    assert len(printed) == 1
    compiled = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nbc")}
    assert len(compiled) == 2  # one forward, one backward
    assert python(WORK, XDG_CACHE_HOME=str(tmp_path)).communicate()[0] in printed
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nbc")} == compiled
