"""A server for a browser: its links come when it answers, a busy port is one line, and it ends with its parent."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from builders.ports import free_port

from ablations.errors import UserError
from ablations.servers import answers, check_port, run_server

SERVER = """
import sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(404)
        self.end_headers()
    def log_message(self, *_): pass
time.sleep(1)
HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
PARENT = f"""
import sys
from ablations.servers import run_server
port = int(sys.argv[1])
run_server(["-c", {SERVER!r}, str(port)], {{}}, port, lambda: print("answers", flush=True))
print("ended")
"""


def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(UserError, match="cannot be used: Address already in use; choose another with --port"):
            check_port(other.getsockname()[1])
    check_port(free_port())


def test_a_server_that_ends_before_it_answers_is_one_line() -> None:
    with pytest.raises(UserError, match="ended with exit code 3 before it answered at port"):
        run_server(["-c", "raise SystemExit(3)"], {}, free_port(), lambda: pytest.fail("it did not answer"))


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_the_word_comes_when_the_server_answers_and_the_server_ends_with_its_parent(sent: signal.Signals) -> None:
    port = free_port()
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    command = [sys.executable, "-c", PARENT, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout
        assert not answers(port)
        assert parent.stdout.readline() == "answers\n"
        assert answers(port)
        parent.send_signal(sent)
        assert parent.stdout.readline() == "ended\n"
        assert parent.wait(timeout=60) == 0
    end = time.monotonic() + 30
    while answers(port) and time.monotonic() < end:
        time.sleep(0.1)
    assert not answers(port)
