"""Where a cell's gates lie in the matrices of a kernel."""

from dataclasses import dataclass

from ablations.models.cell import Cell


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
        split = self.cell.split
        first = (f"a_{gate}_x" if gate in split else f"a_{gate}" for gate in self.inputs)
        return (*first, *(f"a_{gate}_h" for gate in split))

    @property
    def memory(self) -> tuple[str, ...]:
        """The state without h, the fed back gates first."""
        rest = (name for name in self.cell.state[1:] if name not in self.cell.feedback)
        return (*self.cell.feedback, *rest)

    def bias(self, symbol: str) -> tuple[str, int]:
        """The bias vector that a pre-activation's bias is in, and its block there."""
        split = self.cell.split
        apart = [f"a_{gate}_h" for gate in split]
        if symbol in apart:
            return "recurrent_bias", apart.index(symbol)
        return "bias", [f"a_{gate}_x" if gate in split else f"a_{gate}" for gate in self.cell.gates].index(symbol)
