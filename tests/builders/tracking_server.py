"""An MLflow tracking server of a test's own, on a free port of this machine; it can be stopped and started again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ablations.servers import answers
from builders.ports import free_port


class TrackingServer:
    """`mlflow server` on a store."""

    def __init__(self, store: str, folder: Path) -> None:
        self._store, self._folder, self.port = store, folder, free_port()
        self.start()

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        arguments = ["--backend-store-uri", self._store, "--artifacts-destination", str(self._folder / "artifacts")]
        arguments += ["--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]
        settings = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        with (self._folder / "mlflow.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mlflow", "server", *arguments],
                env=os.environ | settings,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + 120
        while not answers(self.port):
            assert self._process.poll() is None, (self._folder / "mlflow.log").read_text()[-2000:]
            assert time.monotonic() < end, "the MLflow server does not answer"
            time.sleep(0.2)

    def stop(self) -> None:
        """Kills it with all of its processes: nothing is answered any more."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@contextmanager
def tracking_server(store: str, folder: Path) -> Iterator[TrackingServer]:
    server = TrackingServer(store, folder)
    try:
        yield server
    finally:
        server.stop()
