"""The UI is on this machine's loopback address, and says at once where it cannot be."""

import os
import socket
import sys
from pathlib import Path

import pytest
from builders.small_study import empty_store
from builders.written_record import one_setting, setting_of, write

from ablations import cli
from ablations.record.ui import serve
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
    monkeypatch.setattr(os, "execve", lambda *_: pytest.fail("the server was started"))
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
    plan, uri = one_setting(study), empty_store(tmp_path)
    write(MlflowRecorder(uri, plan, tmp_path), setting_of(plan))
    calls: list[tuple[list[str], dict[str, str]]] = []

    def become(program: str, arguments: list[str], environment: dict[str, str]) -> None:
        calls.append((arguments, environment))
        raise SystemExit(0)

    monkeypatch.setattr(os, "execve", become)
    lines: list[str] = []
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(SystemExit):
        serve(uri, port, lines.append)
    ((arguments, environment),) = calls
    assert arguments[arguments.index("--host") + 1] == "127.0.0.1"
    assert environment["MLFLOW_DISABLE_TELEMETRY"] == environment["DO_NOT_TRACK"] == "true"
    assert lines[0].startswith(f"http://127.0.0.1:{port} ")
    assert lines[1].startswith(f"small-smoke adding: http://127.0.0.1:{port}/#/experiments/1/runs?")
