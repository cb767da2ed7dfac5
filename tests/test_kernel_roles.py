"""Whatever the roles of its gates, a cell's kernel computes what the eager backend computes."""

from collections import Counter

import pytest
import torch
from builders.interpreted_kernel import assert_interpreted_equals_eager
from builders.random_cells import ROLES, random_cell
from test_kernels import compare, draw

from ablations.errors import UserError
from ablations.models.backends import backend_of
from ablations.models.cell import Cell
from ablations.models.cell_check import check_cell

CELLS_DRAWN = 200
BATCH = 20  # cells in one test
IN_SHORT = 60  # of these, by the tests that are no long ones


def usable(seed: int) -> type[Cell] | None:
    """The cell of that seed, unless its random terms cancel, so that it is refused or has no kernel."""
    cell = random_cell(seed)
    try:
        check_cell(cell)
    except UserError:
        return None
    return cell if backend_of(cell) == "kernel" else None


@pytest.mark.parametrize(
    "first",
    [
        first if first < IN_SHORT else pytest.param(first, marks=pytest.mark.long)
        for first in range(0, CELLS_DRAWN, BATCH)
    ],
)
def test_random_cells_equal_the_eager_backend_in_outputs_and_all_gradients(first: int) -> None:
    """Their generated source, run by plain Python in double precision."""
    cells = [cell for seed in range(first, first + BATCH) if (cell := usable(seed))]
    assert len(cells) > 0.9 * BATCH
    for index, cell in enumerate(cells):
        reverse = bool(index % 2)
        values, mask = draw(cell, (2, 3, 2, 3), torch.float64, masked=index % 3 > 0)
        assert_interpreted_equals_eager(cell, values, mask, reverse, tolerance=1e-5)


def test_the_random_cells_have_gates_of_all_roles_together_with_one_another() -> None:
    drawn = [random_cell(seed) for seed in range(CELLS_DRAWN)]
    counts = Counter((gate.recurrent, gate.operand, gate.feedback) for cell in drawn for gate in cell.gates)
    assert len(counts) == len(ROLES)
    assert min(counts.values()) > 20


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(CELLS_DRAWN, CELLS_DRAWN + 12))
def test_random_cells_equal_the_eager_backend_when_they_are_compiled(seed: int) -> None:
    torch.manual_seed(seed)
    cell = usable(seed)
    if cell is None:
        pytest.skip("its random terms cancel")
    for shape in ((3, 5, 2, 4), (17, 4, 3, 19)):
        for masked, reverse in ((False, True), (True, False)):
            compare(cell, shape, torch.float64, masked, reverse)
