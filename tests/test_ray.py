"""Tasks of Ray compute what processes compute, and a lost worker or node costs no result. Each test has a cluster of its own."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from builders.jobs import die, die_once, fail, fail_strangely, square
from builders.small_study import Silent, carry_out, recorded

from ablations.errors import UserError
from ablations.run.cohort_runner import States
from ablations.run.executors import Executor, ProcessExecutor, SerialExecutor
from ablations.run.jobs import JobFailed
from ablations.run.provenance import provenance
from ablations.study import Study
from reports.compose import compose

ROOT = Path(__file__).parent.parent
TIMES = {"run_id", "seconds_per_sequence", "µs per sequence", "microseconds", "microseconds_per_sequence"}
"""The columns of the report's tables that no two runs of a study share."""
FACTS = {**provenance("ablate run small"), "workers": 1, "wall_seconds": 1.0}
with_ray = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: the extra cluster")


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A head and one more node on this machine, each with one CPU."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    yield cluster
    cluster.shutdown()


def tables_digest(study: Study, where: Path) -> str:
    """sha256 of all tables of the report, times and provenance aside."""
    _, frames = compose(recorded(study, where))
    texts = [
        f"{name}\n{frame.drop(columns=[column for column in frame if column in TIMES]).to_csv()}"
        for name, frame in sorted(frames.items())
        if name != "provenance"
    ]
    assert len(texts) > 5
    return hashlib.sha256("".join(texts).encode()).hexdigest()


class Killer(Silent):
    """Kills something after some segments."""

    def __init__(self, kill: Callable[[], object], after: int) -> None:
        super().__init__()
        self._kill, self._after = kill, after

    def on_segment_end(self, name: str, states: States) -> None:
        super().on_segment_end(name, states)
        if self.segments == self._after:
            self._kill()


@pytest.mark.long
@with_ray
@pytest.mark.filterwarnings("ignore")
def test_serial_processes_and_ray_with_a_lost_node_have_the_same_tables(
    study: Study, cluster: Any, tmp_path: Path
) -> None:
    from ablations.run.ray_executor import RayExecutor

    (node,) = cluster.worker_nodes
    executors: dict[str, tuple[Callable[[], Executor], Silent]] = {
        "serial": (SerialExecutor, Silent()),
        "one": (partial(ProcessExecutor, 1), Silent()),
        "two": (partial(ProcessExecutor, 2), Silent()),
        "ray": (
            partial(RayExecutor, 1, cluster.address),
            Killer(lambda: cluster.remove_node(node, allow_graceful=False), after=5),
        ),
    }
    digests = {}
    for name, (start, watch) in executors.items():
        executor = start()
        try:
            carry_out(study, tmp_path / name, executor, watch, provenance=FACTS)
        finally:
            executor.close()
        assert watch.failures == 0
        digests[name] = tables_digest(study, tmp_path / name)
    assert len(set(digests.values())) == 1, digests


@pytest.mark.long
@with_ray
@pytest.mark.filterwarnings("ignore")
def test_a_lost_worker_costs_no_result_and_an_error_fails_its_job_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ablations.run.ray_executor import RayExecutor

    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)  # the jobs are these tests' own
    executor = RayExecutor(2)
    try:
        assert executor.workers == 2
        for key, job in enumerate((partial(square, 3), partial(die_once, tmp_path / "died"), partial(fail, 4), die,
                                   fail_strangely)):  # fmt: skip
            executor.submit(key, job)
        results = dict(executor.next_result() for _ in range(5))
        executor.submit(9, partial(time.sleep, 60))
        began = time.monotonic()
    finally:
        executor.close()
    assert time.monotonic() - began < 20
    assert (results[0], results[1]) == (9, "survived")
    reasons = [result.reason for result in map(results.get, (2, 3, 4)) if isinstance(result, JobFailed)]
    assert reasons[0] == "ArithmeticError: no 4 (jobs.py, line 13)"
    assert reasons[1].startswith("its worker process died, 3 times")
    assert reasons[2] == "StrangeError: no 1 and no 2 (jobs.py, line 24)"


@pytest.mark.long
@with_ray
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_that_is_not_there_is_one_line() -> None:
    from ablations.run.ray_executor import RayExecutor

    with pytest.raises(UserError, match=r"cannot reach a Ray cluster at 127\.0\.0\.1:1: "):
        RayExecutor(1, "127.0.0.1:1")


@pytest.mark.long
@with_ray
def test_a_study_of_ones_own_runs_on_ray_and_nothing_is_left_when_its_parent_is_killed(tmp_path: Path) -> None:
    """The workers load the study's file; a relative path means the same to them."""
    (tmp_path / "own_cell.py").write_text((ROOT / "examples" / "own_cell.py").read_text())
    environment = os.environ | {"ABLATIONS_HOME": str(tmp_path / "results"), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "ablations", "run", "own_cell.py", "--scale", "smoke"]
    command += ["--executor", "ray", "--workers", "1"]
    long = [*command, "--steps", "20000", "--segments", "1000"]
    first = subprocess.Popen(long, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
    end = time.monotonic() + 200
    while not list((tmp_path / "results").glob("checkpoints/*/*.pt")):
        assert first.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)
    processes = _of_session(tmp_path)
    assert processes
    first.kill()
    first.wait()
    while any(map(_is_alive, processes)):
        assert time.monotonic() < end
        time.sleep(0.2)
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "own_cell is complete" in done.stdout


def _of_session(folder: Path) -> list[int]:
    """The processes that work in a folder: Ray's workers go there to find the study's file."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                is_there = (process / "cwd").resolve() == folder.resolve()
            except OSError:
                continue
            found += [int(process.name)] if is_there else []
    return found


def _is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_ray_is_imported_in_one_module_which_only_its_option_loads() -> None:
    importing = [
        path
        for room in ("tasks", "ablations", "reports")
        for path in (ROOT / room).rglob("*.py")
        if "import ray\n" in (text := path.read_text()) or "from ray" in text
    ]
    assert importing == [ROOT / "ablations" / "run" / "ray_executor.py"]
    script = "import sys, ablations.run.session, ablations.cli; assert 'ray' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)


@pytest.mark.long
def test_without_ray_one_line_says_what_to_install(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['ray'] = None; "
        "sys.argv = ['ablate', 'run', 'claims', '--scale', 'smoke', '--executor', 'ray']; "
        "from ablations.cli import main; main()"
    )
    environment = os.environ | {"ABLATIONS_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True)
    expected = "error: Ray is not installed; first: pip install 'recurrent-ablations[cluster]'\n"
    assert (done.returncode, done.stderr) == (2, expected)


@pytest.mark.long
def test_an_address_without_ray_is_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ablations", "run", "claims", "--scale", "smoke", "--address", "auto"]
    environment = os.environ | {"ABLATIONS_HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    expected = "error: --address is that of a Ray cluster; it goes with --executor ray\n"
    assert (done.returncode, done.stderr) == (2, expected)
