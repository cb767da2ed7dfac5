"""Trained models as files of data: weights, and what the network is rebuilt from. To load them executes nothing of theirs.

`weights.npz` has one array for each name of the network's `state_dict`, without pickle; `model.json` has model, flags, hidden
size, task and the equations of the cell; `MLmodel` and `input_example.json` are MLflow's. The code is this package's, and
that of the user's own file, which has to be imported first.
"""

import json
import platform
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ablations.errors import UserError
from ablations.models import CELLS, MODELS, Network
from ablations.models.equations import equations
from ablations.models.variant import Variant
from ablations.study import Setting
from ablations.train.cohort import Cohort, TrainState
from ablations.train.stacked import StackedNetworks
from tasks import TaskSpec

WEIGHTS, MODEL, MLMODEL, EXAMPLE = "weights.npz", "model.json", "MLmodel", "input_example.json"
VERSION = 1
"""Of the format of these files."""


@dataclass(frozen=True)
class Description:
    """What a network is rebuilt from; plain data. `study_file` is the user's file that may define its parts, if any.

    `equations`: of its cell, as text, so that weights are never put into other equations of the same name.
    """

    version: int
    variant: str
    model: str
    flags: Mapping[str, Any]
    hidden: int
    task: str
    task_parameters: Mapping[str, Any]
    spec: Mapping[str, Any]
    equations: list[str]
    study_file: str | None


@contextmanager
def model_files(
    cohort: Cohort, state: TrainState | None, index: int, is_kept: bool, study_file: str | None
) -> Iterator[Path | None]:
    """A folder with the trained network of one of a cohort's runs, if that is kept, as long as the context is open."""
    if not is_kept or state is None:
        yield None
        return
    with TemporaryDirectory() as folder:
        save_model(Path(folder), cohort, state, index, study_file)
        yield Path(folder)


def save_model(folder: Path, cohort: Cohort, state: TrainState, index: int, study_file: str | None) -> None:
    """Writes the trained network of one of a cohort's runs into a folder."""
    setting = cohort.setting
    network = _trained(cohort.only([index]), state.rows([index]))
    arrays = {name: tensor.detach().numpy() for name, tensor in network.state_dict().items()}
    np.savez(folder / WEIGHTS, **arrays)
    example = setting.task.at(setting.task.nominal).sample(np.random.default_rng(0), 1)
    files = {
        MODEL: asdict(_description(setting, study_file)),
        MLMODEL: _mlmodel(setting.task.spec),
        EXAMPLE: {"inputs": example.inputs.tolist(), "mask": example.mask.tolist()},
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")


def load_model(folder: Path) -> Network:
    """The network in such a folder, for evaluation. Raises `UserError` where it cannot be rebuilt from what is known here."""
    try:
        data = json.loads((folder / MODEL).read_text(encoding="utf-8"))
        description = Description(**data)
        spec = TaskSpec(**description.spec)
        with (folder / WEIGHTS).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            weights = {name: torch.from_numpy(arrays[name]) for name in arrays.files}
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{folder} holds no model that can be read: {reason}") from error
    network = _rebuilt(description, spec)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise UserError(f"the weights of {description.variant} do not fit its network; its code has changed") from error
    if spec.symbols:
        network.register_forward_pre_hook(_write_whole_answer, with_kwargs=True)
    return network.eval()


def _trained(cohort: Cohort, state: TrainState) -> Network:
    """The network of the only run of a cohort, in that state."""
    networks = StackedNetworks(cohort)
    trained = {**networks.parameters(state.theta), **state.buffers}
    with torch.no_grad():
        for name, tensor in (*networks.model.named_parameters(), *networks.model.named_buffers()):
            tensor.copy_(trained[name][0])
    return networks.model


def _description(setting: Setting, study_file: str | None) -> Description:
    task, variant = setting.task, setting.variant
    cell = variant.cell
    return Description(
        version=VERSION,
        variant=variant.name,
        model=variant.model,
        flags=variant.flags,
        hidden=setting.size,
        task=setting.label,
        task_parameters=task.parameters,
        spec=asdict(task.spec),
        equations=[] if cell is None else [equation.text for equation in equations(cell)],
        study_file=study_file,
    )


def _rebuilt(description: Description, spec: TaskSpec) -> Network:
    """The network with a random start."""
    name, flags = description.variant, description.flags
    if description.version != VERSION:
        raise UserError(
            f"the model {name} is of version {description.version!r}; this version of ablate reads {VERSION}"
        )
    unknown = [description.model] if description.model not in MODELS else []
    unknown += [flags["cell"]] if "cell" in flags and flags["cell"] not in CELLS else []
    if unknown:
        file = Path(description.study_file) if description.study_file else None
        how = (
            f"`import {file.stem}` first, from its folder {file.parent}"
            if file
            else "import the file that defines it first"
        )
        raise UserError(f"the model {name} needs {unknown[0]!r}, which is not of this package: {how}")
    variant = Variant(name, description.model, flags)
    cell = variant.cell
    if cell is not None and [equation.text for equation in equations(cell)] != description.equations:
        raise UserError(f"the model {name} was trained with other equations of the cell {cell.name} than it has now")
    return variant.build(spec, description.hidden, seed=0)


def _write_whole_answer(network: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> tuple[Any, Any]:
    """A hook: where answers are written and nothing is said of their length, it is the longest of training."""
    is_told = len(arguments) > 2 or "prefix" in options or "steps" in options
    return arguments, options if is_told else {**options, "steps": network.spec.symbols}


def _mlmodel(spec: TaskSpec) -> dict[str, Any]:
    """MLflow's description of the model, with its signature. Its loader is this module, and no code is in the folder."""
    inputs = ("int64", [-1, -1]) if spec.vocabulary else ("float32", [-1, -1, spec.features])
    steps = [-1] if spec.per_step or spec.symbols else []
    signature = {
        "inputs": json.dumps([_tensor(*inputs, name="inputs"), _tensor("bool", [-1, -1], name="mask")]),
        "outputs": json.dumps([_tensor("float32", [-1, *steps, spec.outputs])]),
    }
    pyfunc = {"loader_module": __name__, "python_version": platform.python_version()}
    return {
        "flavors": {"python_function": pyfunc, "ablations": {"version": VERSION, "weights": WEIGHTS, "model": MODEL}},
        "signature": signature,
        "saved_input_example_info": {"artifact_path": EXAMPLE, "type": "ndarray", "format": "tf-serving"},
    }


def _tensor(dtype: str, shape: list[int], **name: str) -> dict[str, Any]:
    return {**name, "type": "tensor", "tensor-spec": {"dtype": dtype, "shape": shape}}


class _Predictor:
    """What `mlflow.pyfunc.load_model` wraps."""

    def __init__(self, network: Network) -> None:
        self._network = network

    @torch.no_grad()
    def predict(self, data: Mapping[str, np.ndarray], params: Mapping[str, Any] | None = None) -> np.ndarray:
        inputs, mask = (torch.as_tensor(data[name]) for name in ("inputs", "mask"))
        outputs: Tensor = self._network(inputs, mask)
        return outputs.numpy()


def _load_pyfunc(folder: str) -> _Predictor:
    """MLflow calls this."""
    return _Predictor(load_model(Path(folder)))
