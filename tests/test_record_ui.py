"""The UI is on this machine's loopback address, and says at once where it cannot be."""

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from builders.small_study import empty_store
from builders.written_record import one_setting, setting_of, write
from test_servers import free_port

from ablations import cli
from ablations.record import ui
from ablations.record.writer import MlflowRecorder
from ablations.sqlite import sqlite_url
from ablations.study import Study


def ablate(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["ablate", *arguments])
    with pytest.raises(SystemExit) as done:
        cli.main()
    return int(done.value.code or 0)


def test_a_port_that_is_taken_is_one_line_before_any_link(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    empty_store(home)
    monkeypatch.setattr(ui, "run_server", lambda *_: pytest.fail("the server was started"))
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert ablate(monkeypatch, "ui", "--port", str(port)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"error: port {port} cannot be used: Address already in use; choose another with --port\n"


@pytest.mark.parametrize("command", [["report", "claims"], ["status", "claims"], ["ui"]])
def test_a_store_that_is_not_there_is_one_line_and_is_not_created(
    command: list[str], home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert ablate(monkeypatch, *command, "--tracking-uri", sqlite_url(tmp_path / "none.db")) == 2
    said = capsys.readouterr()
    assert "there is no such file; `ablate run` comes first" in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert not list(tmp_path.iterdir())


def test_a_tracking_server_is_opened_in_a_browser(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ablate(monkeypatch, "ui", "--tracking-uri", "http://host:5000") == 2
    assert "http://host:5000 is a tracking server with a UI of its own" in capsys.readouterr().err


def test_the_server_is_given_a_silent_environment_and_the_loopback_address(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, store = one_setting(study), empty_store(tmp_path)
    write(MlflowRecorder(store, plan, tmp_path), setting_of(plan))
    lines: list[str] = []
    calls: list[list[str]] = []

    def run_server(arguments: list[str], environment: dict[str, str], port: int, on_answer: Callable[[], None]) -> None:
        calls.append(arguments)
        assert environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
        assert not lines  # before it answers
        on_answer()

    monkeypatch.setattr(ui, "run_server", run_server)
    port = free_port()
    ui.serve(store, port, lines.append)
    (arguments,) = calls
    assert arguments[arguments.index("--host") + 1] == "127.0.0.1"
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == os.environ["DO_NOT_TRACK"] == "true"  # a server inherits them
    assert lines[0].startswith(f"http://127.0.0.1:{port} ")
    assert lines[1] == "\nsmall-smoke"
    links = [line.split()[-1] for line in lines[2:]]
    assert len(links) == len({*links}) == 7
    assert all(
        link.startswith(f"http://127.0.0.1:{port}/#/experiments/1/runs?workflowType=machine_learning") for link in links
    )


@pytest.mark.parametrize("command", ["ui", "dashboard"])
def test_without_a_record_there_is_one_line(
    command: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ablate(monkeypatch, command) == 2
    said = capsys.readouterr()
    assert "`ablate run` comes first" in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_the_dashboard_says_at_once_that_its_port_is_taken_or_that_it_is_not_installed(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from ablations.run import dashboard

    home.mkdir()
    (home / "optuna.db").touch()
    monkeypatch.setattr(dashboard, "run_server", lambda *_: pytest.fail("the server was started"))
    monkeypatch.setattr(dashboard, "find_spec", lambda _: None)
    assert ablate(monkeypatch, "dashboard") == 2
    assert capsys.readouterr().err == (
        "error: optuna-dashboard is not installed; `pip install 'recurrent-ablations[dashboard]'` installs it\n"
    )
    monkeypatch.setattr(dashboard, "find_spec", lambda name: name)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert ablate(monkeypatch, "dashboard", "--port", str(port)) == 2
    assert capsys.readouterr().err == (
        f"error: port {port} cannot be used: Address already in use; choose another with --port\n"
    )
