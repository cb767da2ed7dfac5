"""Sequences and states in the forms in which torch.nn's recurrent layers take and return them.

B sequences, T steps, L layers and directions, H units.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import dropout
from torch.nn.utils.rnn import PackedSequence

Given = Tensor | PackedSequence
"""Sequences as a user has them: (T, I), (T, B, I), (B, T, I) or packed."""


@dataclass(frozen=True)
class Sequences:
    """x (B, T, I), the mask (B, T) of its real steps if some are padding, and the form in which it was given."""

    x: Tensor
    mask: Tensor | None
    given: Given
    batch_first: bool

    @classmethod
    def of(cls, given: Given, batch_first: bool) -> "Sequences":
        """Raises ValueError, as torch.nn does, where there are not two or three dimensions."""
        if isinstance(given, PackedSequence):
            x, mask = _padded(given.data, given)
            return cls(x, mask, given, batch_first)
        if given.dim() not in (2, 3):
            raise ValueError(f"Expected input to be 2D or 3D, got {given.dim()}D tensor instead")
        if given.dim() == 2:
            return cls(given.unsqueeze(0), None, given, batch_first)
        return cls(given if batch_first else given.transpose(0, 1), None, given, batch_first)

    @property
    def is_single(self) -> bool:
        """Whether it is one sequence without the dimension of B."""
        return not isinstance(self.given, PackedSequence) and self.given.dim() == 2

    def in_given_form(self, outputs: Tensor) -> Given:
        """Outputs (B, T, O) in the form in which the inputs came."""
        if isinstance(self.given, PackedSequence):
            return self.given._replace(data=self._packed(outputs))
        if self.is_single:
            return outputs.squeeze(0)
        return outputs if self.batch_first else outputs.transpose(0, 1).contiguous()

    def initial(self, state: Tensor) -> Tensor:
        """A user's state (L, B, H) or (L, H) as (L, B, H), in the order of x."""
        if isinstance(self.given, PackedSequence) and self.given.sorted_indices is not None:
            return state.index_select(1, self.given.sorted_indices)
        return state.unsqueeze(1) if self.is_single else state

    def final(self, state: Tensor) -> Tensor:
        """The reverse of `initial`."""
        if isinstance(self.given, PackedSequence) and self.given.unsorted_indices is not None:
            return state.index_select(1, self.given.unsorted_indices)
        return state.squeeze(1) if self.is_single else state

    def dropped_out(self, outputs: Tensor, p: float) -> Tensor:
        """Dropout on outputs (B, T, O), which draws what torch.nn's layers draw: step after step."""
        B, T, width = outputs.shape
        if isinstance(self.given, PackedSequence):
            noise, _ = _padded(dropout(outputs.new_ones(len(self.given.data), width), p), self.given)
            return outputs * noise
        return outputs * dropout(outputs.new_ones(T, B, width), p).transpose(0, 1)

    def _packed(self, outputs: Tensor) -> Tensor:
        """The outputs of real steps, in the order of packed data: step after step."""
        assert self.mask is not None
        steps, sequences = self.mask.mT.nonzero(as_tuple=True)
        return outputs.flatten(0, 1).index_select(0, sequences * outputs.shape[1] + steps)


def _padded(data: Tensor, form: PackedSequence) -> tuple[Tensor, Tensor]:
    """Packed data as (B, T, …), the longest sequence first, and the mask (B, T) of its real steps.

    By an index, since torch's own function has no rule for `vmap`. In the padding stands another step, which nobody reads.
    """
    mask = torch.arange(form.batch_sizes.tolist()[0]) < form.batch_sizes.unsqueeze(1)  # (T, B), as the data is ordered
    rows = (mask.flatten().cumsum(0) - 1).view_as(mask).mT
    x = data.index_select(0, rows.flatten().to(data.device)).unflatten(0, rows.shape)
    return x, mask.mT.contiguous().to(data.device)
