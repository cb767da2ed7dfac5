"""Floating point operations of the matrix products of a recurrent layer."""

from ablations.models.cell import Cell


def training_flops(cell: type[Cell], B: int, T: int, inputs: int, H: int) -> int:
    """Those of one forward and backward pass over B sequences of T steps of some inputs, by a layer of H units.

    Recurrent products, those of the feedback among them, are done three times: for the outputs, the gradient of the
    state, and the gradient of the weights. Products with the input are done twice: it needs no gradient.

    >>> from ablations.models.cells import CELLS
    >>> training_flops(CELLS["lstm"], B=1, T=1, inputs=16, H=32) == 2 * 4 * 32 * (3 * 32 + 2 * 16)
    True
    """
    with_input = len(cell.gates) * H * inputs
    recurrent = len(cell.connected()) * H * H + (len(cell.gates_with(feedback=True)) * H) ** 2
    return 2 * B * T * (3 * recurrent + 2 * with_input)
