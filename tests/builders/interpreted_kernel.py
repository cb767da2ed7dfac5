"""The generated source of a cell run by plain Python on NumPy arrays: the same text without Numba's seconds."""

import re
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ablations.models.cell import Cell
from ablations.models.eager import Weights, unroll
from ablations.models.kernels.sequence import NOTHING
from ablations.models.kernels.source import source, tape_entries

LANES = 4
DTYPE = np.float64


def padded(number: int) -> int:
    return -(-number // LANES) * LANES


def _store(value: Any, array: np.ndarray, row: int, column: int) -> None:
    array[row, column : column + LANES] = value


def _transpose(to: np.ndarray, from_: np.ndarray) -> None:
    to[: from_.shape[1], : from_.shape[0]] = from_.T


def _copy(to: np.ndarray, from_: np.ndarray) -> None:
    to[: from_.shape[0], : from_.shape[1]] = from_


def _copy_padded(to: np.ndarray, from_: np.ndarray) -> None:
    to[:] = np.pad(from_, ((0, 0), (0, to.shape[1] - from_.shape[1])))


def _multiply(c: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    c[:] = a @ b


def _add_product(c: np.ndarray, a: np.ndarray, b: np.ndarray) -> None:
    c += a @ b


def _add_rows(sums: np.ndarray, first: int, matrix: np.ndarray) -> None:
    sums[first : first + len(matrix)] += matrix.sum(1)


def _clear_inactive(matrix: np.ndarray, first: int, active: np.ndarray) -> None:
    matrix[:, first:][:, active[0, first:] <= 0] = 0.0


def _maximum(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.maximum(x, y)


# What the generated modules import, one lane after the other as NumPy does it.
WORDS: dict[str, Any] = {
    "exp": np.exp,
    "tanh": np.tanh,
    "sigmoid": lambda x: 0.5 + 0.5 * np.tanh(0.5 * x),
    "relu": lambda x: np.maximum(x, 0.0),
    "positive": lambda x: (x > 0) * 1.0,
    "maximum": _maximum,
    "log": np.log,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "absolute": np.abs,
    "sign": np.sign,
    "softplus": lambda x: np.logaddexp(x, 0.0),
    "larger": lambda x, y: np.where(x == y, 0.5, (x > y) * 1.0),
    "LANES": LANES,
    "padded": padded,
    "select": lambda condition, yes, no: np.where(condition > 0, yes, no),
    "filled": lambda like, value: np.full(LANES, value),
    "load": lambda array, row, column: array[row, column : column + LANES].copy(),
    "store": _store,
    "total": np.sum,
    "noinline": lambda: None,
    "strided": lambda array: array,
    "submatrix": lambda matrix, i, j, rows, columns: matrix[i : i + rows, j : j + columns],
    "carve": lambda workspace, at, rows, columns: workspace[at : at + rows * columns].reshape(rows, columns),
    "transpose": _transpose,
    "copy": _copy,
    "copy_padded": _copy_padded,
    "recall": lambda array, row, column: array[row, column : column + LANES].copy(),
    "save": _store,
    "fetch_rows": lambda matrix: None,
    "clear_inactive": _clear_inactive,
    "clear": lambda matrix: matrix.fill(0.0),
    "add_rows": _add_rows,
    "multiply": _multiply,
    "add_product": _add_product,
}


def _module(cell: type[Cell]) -> SimpleNamespace:
    text = re.sub(r"^from .* import (\([^)]*\)|.*)$|^@njit.*$", "", source(cell), flags=re.MULTILINE)
    names = dict(WORDS)
    exec(text, names)
    return SimpleNamespace(**names)


def _array(tensor: Tensor | None) -> np.ndarray:
    return NOTHING if tensor is None else tensor.detach().numpy().astype(DTYPE)[None]


def run_interpreted(
    cell: type[Cell], x: Tensor, mask: Tensor | None, initial: Tensor, weights: Weights, reverse: bool,
    d_outputs: Tensor, d_final: Tensor,
) -> list[Tensor]:  # fmt: skip
    """Outputs, final state, and the gradients by x, the initial state and the weights that there are."""
    module, (B, T, inputs), H = _module(cell), x.shape, initial.shape[-1]
    read = [_array(part) for part in (x, mask, initial, *weights)]
    outputs, final = np.full((1, B, T, H), np.nan), np.full((1, *initial.shape), np.nan)
    tape = np.full((1, T * len(tape_entries(cell)) * H, padded(B)), np.nan)
    workspace = np.zeros(module.forward_workspace(B, inputs, H))
    module.forward(*read, outputs, final, tape, workspace, reverse, True)
    tensors = (x, initial, *weights)
    gradients = [NOTHING if part is None else np.zeros((1, *part.shape)) for part in tensors]
    needed = [array for name, array in zip(Weights._fields, read[3:], strict=True) if "bias" not in name]
    workspace = np.zeros(module.backward_workspace(B, inputs, H))
    taken = [_array(part) for part in (d_outputs, d_final, x, mask, initial)]
    module.backward(*taken, *needed, outputs, tape, *gradients, workspace, reverse, True)
    made = [array for array, part in zip(gradients, tensors, strict=True) if part is not None]
    return [torch.from_numpy(array[0]) for array in (outputs, final, *made)]


def assert_interpreted_equals_eager(
    cell: type[Cell], values: Sequence[Tensor | None], mask: Tensor | None, reverse: bool, tolerance: float
) -> None:
    """Of x, the initial state and the weights: outputs, final state, and the gradients of random sums of these."""
    x, initial, *weights = values
    assert x is not None
    assert initial is not None
    together = Weights(*weights)  # type: ignore[arg-type]
    outputs, final = unroll(cell, x, mask, initial, together, reverse)
    d_outputs, d_final = torch.randn_like(outputs), torch.randn_like(final)
    there = [value for value in values if value is not None]
    gradients = torch.autograd.grad(
        (outputs, final), there, (d_outputs, d_final), allow_unused=True, materialize_grads=True
    )
    ours = run_interpreted(cell, x, mask, initial, together, reverse, d_outputs, d_final)
    for mine, other in zip(ours, (outputs.detach(), final.detach(), *gradients), strict=True):
        scale = max(1.0, float(other.abs().max()))
        torch.testing.assert_close(mine / scale, other / scale, rtol=0, atol=tolerance)
