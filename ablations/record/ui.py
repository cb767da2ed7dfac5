"""The MLflow UI on a record, on this machine's loopback address."""

from collections.abc import Iterator
from contextlib import suppress

from ablations.credentials import hidden, is_web
from ablations.outages import driver_url
from ablations.record.long_tags import read_json
from ablations.record.saved_views import View, setting_view, study_views
from ablations.record.schema import RecordError
from ablations.record.source import Experiment, own_experiments
from ablations.record.store import ClientSource, MlflowClient, MlflowException, connect, set_changed_tags
from ablations.servers import HOST, Say, check_port, run_server


def serve(uri: str, port: int, say: Say) -> None:
    """Runs the UI's server until Ctrl-C, and says which pages there are once it answers.

    Raises `UserError` where that is impossible. Nothing but this machine can reach the server, and it sends nothing: the
    settings of `store` are passed on.
    """
    if is_web(uri):
        raise RecordError(f"{uri} is a tracking server with a UI of its own: open it in a browser")
    uri = driver_url(uri)
    client = connect(uri)
    check_port(port)
    lines = list(_lines(client, f"http://{HOST}:{port}"))

    def on_answer() -> None:
        say(f"http://{HOST}:{port} shows {hidden(uri)}; Ctrl-C ends it")
        for line in lines:
            say(line)

    arguments = ["-m", "mlflow", "ui", "--backend-store-uri", uri, "--registry-store-uri", uri]
    arguments += ["--host", HOST, "--port", str(port), "--workers", "1", "--uvicorn-opts", "--log-level=warning"]
    environment = {
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "PYTHONWARNINGS": "ignore",
    }  # half a gigabyte, not two
    run_server(arguments, environment, port, on_answer)


def write_views(client: MlflowClient, experiment: Experiment) -> list[View]:
    """Saves the views of an experiment of ours in its tags; returns those of the study. None where its plan makes no sense."""
    runs = ClientSource(client).runs(experiment.experiment_id)
    is_named = all("variant" in run.params for run in runs if run.tags.get("kind") == "trial")
    try:
        plan = read_json(experiment.tags, "plan")
        views = list(study_views(plan, "variant" if is_named else "hidden"))
    except (ValueError, KeyError, TypeError):
        return []
    searches = [setting_view(plan, run.run_id) for run in runs if run.tags.get("kind") == "setting"]
    tags = dict(view.tag(place) for place, view in enumerate([*views, *searches]))
    set_changed_tags(client, experiment.experiment_id, experiment.tags, tags)
    return views


def pages(client: MlflowClient) -> dict[str, dict[str, str]]:
    """Experiment -> name of a view -> its page, of all of our experiments. The views are saved."""
    found = {}
    for experiment in own_experiments(ClientSource(client)):
        with suppress(MlflowException):  # the store may be read alone
            views = write_views(client, experiment)
            found[experiment.name] = {view.name: view.page(experiment.experiment_id) for view in views}
    return {name: views for name, views in found.items() if views}


def _lines(client: MlflowClient, address: str) -> Iterator[str]:
    for experiment, views in pages(client).items():
        yield f"\n{experiment}"
        width = max(map(len, views))
        yield from (f"  {name:{width}}  {address}/{page}" for name, page in views.items())
