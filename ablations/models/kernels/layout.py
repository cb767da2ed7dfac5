"""Where a cell's gates lie in the matrices of a kernel, so that each product of a step runs over neighbouring rows.

G gates, H units. A block is H rows: the pre-activations of one gate, or of one part of it. `README.md` draws it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from ablations.models.cell import Cell
from ablations.models.kernels.derivation import GATE, PART


@dataclass(frozen=True)
class Piece:
    """Neighbouring blocks of one product: the first among the pre-activations, the first of its weights, how many."""

    row: int
    weight: int
    count: int


@dataclass(frozen=True)
class Layout:
    """The pre-activations of one step, as blocks in sections.

    First come the blocks with an input part W x: of gates without a recurrent part; with R h apart; with R operand
    apart; with R operand added; with R h added. Then the recurrent parts that stand apart, in the same order.
    """

    cell: type[Cell]

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The gates in the order of the blocks that get W x, which is also that of the packed weights."""
        return tuple(name for section in SECTIONS for name in self._section(**section))

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """What each block is called in the equations."""
        apart = self.cell.gates_with(recurrent="apart")
        inputs = [PART.format(name, "x") if name in apart else GATE.format(name) for name in self.inputs]
        return (*inputs, *(PART.format(name, "h") for name in self.inputs if name in apart))

    @property
    def merged(self) -> int:
        """How many blocks one product makes from h above x; they are the last of those that get W x."""
        return len(self._section(recurrent="added", operand=False))

    @property
    def unmerged(self) -> int:
        """How many blocks get W x by a product of its own; they are the first."""
        return len(self.inputs) - self.merged

    @cached_property
    def of_h(self) -> list[Piece]:
        """The products R h that stand apart."""
        names = self._section(recurrent="apart", operand=False)
        return _pieces((self.symbols.index(PART.format(name, "h")), self.inputs.index(name)) for name in names)

    @cached_property
    def of_operand(self) -> list[Piece]:
        """The products R operand: those that stand apart, then those that are added."""
        apart = self._section(recurrent="apart", operand=True)
        added = self._section(recurrent="added", operand=True)
        pairs = [(self.symbols.index(PART.format(name, "h")), self.inputs.index(name)) for name in apart]
        return _pieces([*pairs, *((self.inputs.index(name), self.inputs.index(name)) for name in added)])

    @cached_property
    def of_feedback(self) -> list[Piece]:
        """The products V times the gates of the step before; the gates' order in V is that of the cell."""
        fed = self.cell.gates_with(feedback=True)
        return _pieces((row, fed.index(name)) for row, name in enumerate(self.inputs) if name in fed)

    @property
    def memory(self) -> tuple[str, ...]:
        """The state without h, the gates that are fed back first, in the order of the columns of V."""
        fed = self.cell.gates_with(feedback=True)
        return (*fed, *(name for name in self.cell.state[1:] if name not in fed))

    def bias(self, symbol: str) -> tuple[str, int]:
        """The bias vector that a pre-activation's bias is in, and its block there."""
        apart = [PART.format(name, "h") for name in self.cell.gates_with(recurrent="apart")]
        if symbol in apart:
            return "recurrent_bias", apart.index(symbol)
        gate = self.inputs[self.symbols.index(symbol)]
        return "bias", self.cell.gates_with().index(gate)

    def _section(self, **roles: object) -> tuple[str, ...]:
        """The gates of such roles; those that are fed back first, so that one product makes as many as possible."""
        return (*self.cell.gates_with(**roles, feedback=True), *self.cell.gates_with(**roles, feedback=False))


SECTIONS: tuple[dict[str, object], ...] = (
    {"recurrent": "none"},
    {"recurrent": "apart", "operand": False},
    {"recurrent": "apart", "operand": True},
    {"recurrent": "added", "operand": True},
    {"recurrent": "added", "operand": False},
)
"""The gates by their roles, in the order of their blocks."""


def _pieces(blocks: Iterable[tuple[int, int]]) -> list[Piece]:
    """Pairs of a row's block and its weights' block, joined where both are neighbours of those before."""
    pieces: list[Piece] = []
    for row, weight in blocks:
        last = pieces[-1] if pieces else None
        if last and (row, weight) == (last.row + last.count, last.weight + last.count):
            pieces[-1] = Piece(last.row, last.weight, last.count + 1)
        else:
            pieces.append(Piece(row, weight, 1))
    return pieces
