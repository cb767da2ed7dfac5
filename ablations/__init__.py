from importlib.util import find_spec as _find_spec
from pathlib import Path as _Path
from typing import TYPE_CHECKING as _TYPE_CHECKING

if _TYPE_CHECKING:
    from ablations.models import Network as _Network
    from reports.results import Results as _Results

for _name in ("tasks", "reports"):
    _own = _Path(__file__).parents[1] / _name
    if _name == "reports" and not _own.exists():
        continue  # a machine that only trains needs none
    _spec = _find_spec(_name)
    if _spec is None or _spec.origin is None or _Path(_spec.origin).resolve().parent != _own.resolve():
        raise ImportError(
            f"'import {_name}' gives {_spec.origin if _spec else 'nothing'}, but ablations needs {_own}; "
            f"rename your own module {_name}"
        )


def load(uri: str, tracking_uri: str | None = None) -> "_Network":
    """A trained network of a record, for evaluation: `load("runs:/<run id>")(batch.inputs, batch.mask)`.

    The run is a replicate whose model was kept, or a setting: of that one it is the best replicate's. `models:/<model id>`
    and a model's folder do as well. Nothing in its files is executed; where a file of the user's own, `mystudy.py`, defines
    the cell or the model, that is imported first: `import mystudy`, with its folder as the working folder or in `sys.path`.
    Raises `UserError` where there is no such model.
    tracking_uri: the MLflow store; by default that of the results folder, as for `ablate`.
    """
    from ablations.home import tracking_uri as default
    from ablations.record.model_log import model_files
    from ablations.run.kept_models import load_model

    with model_files(uri, tracking_uri or default()) as folder:
        return load_model(folder)


def open(place: str | _Path | None = None) -> "_Results":
    """The studies of a results folder as data: `open("results").study("claims").tables.replicates` is a data frame.

    place: the folder, by default the one that `ablate` uses, or an MLflow tracking URI. Raises `UserError` where nothing is
    recorded there. The networks of a study are loaded as by `load`.
    """
    from ablations.home import tracking_uri
    from reports.results import Results

    is_uri = isinstance(place, str) and "://" in place
    return Results(str(place) if is_uri else tracking_uri(_Path(place).expanduser() if place else None), load)
