"""Selective copying: repeat the symbols that came at random places among blanks."""

from math import comb
from typing import Literal

import numpy as np
import torch
from pydantic.dataclasses import dataclass

from tasks.copying import Copying
from tasks.task import STRICT, Batch
from tasks.words import random_ranks


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SelectiveCopying(Copying):
    """The copy memory task with the symbols at random places among the blanks (Gu & Dao 2023, Mamba, section 4.1.1).

    Rule: `copying`, but that the `items` symbols and the `delay` − 1 blanks before the delimiter are mixed: the symbols
    stand in any places, all choices equally probable, and are to be repeated in their order. So no fixed delay helps: what
    a token is decides whether it must be kept. The paper, after the denoising task of Jing et al. (2019), hides 16 symbols
    in 4096 steps; its loss is that of the recalled symbols, as by default here.

    Worked example (3 items, delay 6; `_` blank, `:` delimiter):

        input    _ _ _ a _ a _ b : _ _ _
        target   _ _ _ _ _ _ _ _ _ a a b

    Shapes, loss and score: those of `copying`. `fixed places` is the score of the best reader who, for each answer, looks
    at one step that does not depend on the sequence, as who copies with a fixed delay does.

    >>> SelectiveCopying(delay=1).references()["fixed places"]
    1.0
    >>> round(SelectiveCopying(delay=50).references()["fixed places"], 3)
    0.194
    """

    loss_over: Literal["all steps", "recall"] = "recall"

    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        inputs, targets, mask = super().sample(rng, n)
        tokens = inputs.numpy()
        before = (tokens == self.symbols + 1).argmax(axis=1)  # the steps before the delimiter: symbols and blanks
        places = np.sort(np.argsort(random_ranks(rng, before), axis=1)[:, : self.items], axis=1)
        symbols = tokens[:, : self.items].copy()
        tokens[:, : self.items] = self.symbols
        np.put_along_axis(tokens, places, symbols, axis=1)
        return Batch(torch.from_numpy(tokens), targets, mask)

    def references(self) -> dict[str, float]:
        fixed = self.mean_over_difficulties(self._fixed_places)
        return {"chance": 1 / self.symbols, "fixed places": fixed, "perfect": 1.0}

    def _fixed_places(self, delay: int) -> float:
        """Answer k looks where the k-th symbol is most often. What else is there is right by chance, as is a guess."""
        items, steps = self.items, self.items + delay - 1
        places = [min(steps - 1, k * steps // max(1, items - 1)) for k in range(items)]
        choices = sum(comb(place, k) * comb(steps - 1 - place, items - 1 - k) for k, place in enumerate(places))
        right = choices / (items * comb(steps, items))
        return right + (1 - right) / self.symbols
