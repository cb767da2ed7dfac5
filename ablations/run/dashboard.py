"""Optuna's dashboard on the searches of a storage, on this machine's loopback address."""

from importlib.util import find_spec

from ablations.credentials import hidden
from ablations.errors import UserError
from ablations.outages import driver_url
from ablations.search import storage_at
from ablations.servers import HOST, Say, check_port, run_server


def serve(storage: str, port: int, say: Say) -> None:
    """Runs the dashboard until Ctrl-C. Raises `UserError` where that is impossible."""
    if find_spec("optuna_dashboard") is None:
        raise UserError("optuna-dashboard is not installed; `pip install 'recurrent-ablations[dashboard]'` installs it")
    storage = driver_url(storage)
    check_port(port)
    storage_at(storage).engine.dispose()  # it says in one line where there is none
    start = "import sys; from optuna_dashboard._cli import main; sys.argv[0] = 'optuna-dashboard'; main()"
    arguments = ["-W", "ignore", "-c", start, storage, "--host", HOST, "--port", str(port), "--quiet"]
    run_server(
        arguments,
        {},
        port,
        lambda: say(f"http://{HOST}:{port} shows the searches in {hidden(storage)}; Ctrl-C ends it"),
    )
