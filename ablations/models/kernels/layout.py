"""Where a cell's gates lie in the matrices of a kernel."""

from dataclasses import dataclass

from ablations.models.cell import Cell
from ablations.models.kernels.derivation import GATE, PART


@dataclass(frozen=True)
class Layout:
    """The pre-activations of one step as blocks of H rows: those with an input part first, those with h's part last.

    In order: unconnected, split (their input parts), gated, merged (feedback first), split (their recurrent parts).
    """

    cell: type[Cell]

    @property
    def alone(self) -> tuple[str, ...]:
        """Gates whose input part has rows of its own."""
        return (*self.cell.unconnected, *self.cell.split)

    @property
    def merged(self) -> tuple[str, ...]:
        taken = (*self.alone, *self.cell.gated, *self.cell.feedback)
        return (*self.cell.feedback, *(gate for gate in self.cell.gates if gate not in taken))

    @property
    def inputs(self) -> tuple[str, ...]:
        """The gates in the order of the rows that get W x."""
        return (*self.alone, *self.cell.gated, *self.merged)

    @property
    def symbols(self) -> tuple[str, ...]:
        """What each block of rows is called in the equations."""
        return (*map(self._with_input, self.inputs), *map(self._recurrent, self.cell.split))

    @property
    def memory(self) -> tuple[str, ...]:
        """The state without h, the fed back gates first."""
        rest = (name for name in self.cell.state[1:] if name not in self.cell.feedback)
        return (*self.cell.feedback, *rest)

    def bias(self, symbol: str) -> tuple[str, int]:
        """The bias vector that a pre-activation's bias is in, and its block there."""
        apart = [*map(self._recurrent, self.cell.split)]
        if symbol in apart:
            return "recurrent_bias", apart.index(symbol)
        return "bias", [*map(self._with_input, self.cell.gates)].index(symbol)

    def _with_input(self, gate: str) -> str:
        return PART.format(gate, "x") if gate in self.cell.split else GATE.format(gate)

    def _recurrent(self, gate: str) -> str:
        return PART.format(gate, "h")
