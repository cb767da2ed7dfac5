"""The MLflow UI on a record, on this machine's loopback address."""

import os
import socket
import sys
from collections.abc import Callable
from typing import NoReturn

from ablations.record.links import views
from ablations.record.schema import RecordError

HOST = "127.0.0.1"


def serve(uri: str, port: int, say: Callable[[str], object]) -> NoReturn:
    """Says which pages there are and becomes the UI's server, until Ctrl-C. Raises `RecordError` where that is impossible.

    Nothing but this machine can reach it, and it sends nothing: the settings of `store` are passed on.
    """
    if uri.startswith(("http://", "https://")):
        raise RecordError(f"{uri} is a tracking server with a UI of its own: open it in a browser")
    pages = views(uri)
    _check_port(port)
    say(f"http://{HOST}:{port} shows {uri}; Ctrl-C ends it")
    for name, page in pages.items():
        say(f"{name}: http://{HOST}:{port}/{page}")
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # half a gigabyte instead of two
    arguments = ["-m", "mlflow", "ui", "--backend-store-uri", uri, "--host", HOST, "--port", str(port)]
    os.execve(sys.executable, [sys.executable, *arguments], environment)


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as the server does: a server that ended is no obstacle
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise RecordError(f"port {port} cannot be used: {error.strerror}; choose another with --port") from error
