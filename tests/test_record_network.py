"""Nothing is sent: a run and its report speak to no host but this one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

STUDY = """
from dataclasses import replace
from ablations.studies.claims import SMOKE, STUDY as CLAIMS
tasks = {"disambiguation": SMOKE.tasks["disambiguation"]}
STUDY = replace(CLAIMS, name="own", variants=CLAIMS.variants[4:6], scales={"smoke": replace(SMOKE, tasks=tasks)})
"""
GUARD = """
import os, socket
allowed = (None, "", "localhost", "127.0.0.1", "::1", b"localhost")
def told(what, host):
    if host not in allowed:
        with open(os.environ["SENT"], "a") as file:
            file.write(f"{what} {host}\\n")
        raise OSError(f"the test allows no network: {what} {host}")
look_up, connect = socket.getaddrinfo, socket.socket.connect
def getaddrinfo(host, *arguments, **named):
    told("getaddrinfo", host)
    return look_up(host, *arguments, **named)
class Guarded(socket.socket):
    def connect(self, address):
        if self.family != socket.AF_UNIX:
            told("connect", address[0])
        return super().connect(address)
socket.getaddrinfo, socket.socket = getaddrinfo, Guarded
"""


def _guarded(arguments: list[str], tmp_path: Path) -> tuple[subprocess.CompletedProcess[str], str]:
    """Runs Python with the guard in every process that it starts; what was tried to reach."""
    (tmp_path / "guard").mkdir(exist_ok=True)
    (tmp_path / "guard" / "sitecustomize.py").write_text(GUARD)
    # MLflow is silent in tests and in continuous integration: here it must be so for a user.
    unset = ("PYTEST_CURRENT_TEST", "CI", "GITHUB_ACTIONS", "MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK")
    environment = {key: value for key, value in os.environ.items() if key not in unset}
    environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path / "guard"), str(Path(__file__).parents[1])])
    environment |= {"ABLATIONS_HOME": str(tmp_path / "results"), "SENT": str(tmp_path / "sent")}
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, cwd=tmp_path)
    return done, (tmp_path / "sent").read_text() if (tmp_path / "sent").exists() else ""


@pytest.mark.slow
def test_the_guard_sees_what_is_looked_up(tmp_path: Path) -> None:
    done, sent = _guarded(["-c", "import socket; socket.create_connection(('example.org', 80))"], tmp_path)
    assert done.returncode == 1
    assert sent == "getaddrinfo example.org\n"


@pytest.mark.long
def test_a_run_and_its_report_reach_for_no_other_host(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(STUDY)
    budget = ["--scale", "smoke", "--workers", "1", "--trials", "1", "--search-seeds", "1", "--replicates", "1"]
    for arguments in (["run", "own.py", *budget], ["report", "own", "--scale", "smoke"]):
        done, sent = _guarded(["-m", "ablations", *arguments], tmp_path)
        assert done.returncode == 0, done.stderr
        assert sent == ""
