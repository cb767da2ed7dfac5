"""Pairs of a translation task as texts."""

from itertools import groupby

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from tasks import IGNORED, Batch, Translation
from tasks.task import UNALIGNED
from tasks.translation import END


def texts(task: Translation, batch: Batch) -> list[tuple[str, str]]:
    """The sources and the answers of a batch."""
    lines = (task.read(batch, index) for index in range(len(batch.targets)))
    return [(source, answer) for source, answer in (line.split(" → ") for line in lines)]


def said(task: Translation, batch: Batch, answers: list[str]) -> Tensor:
    """The outputs (n, U, K) of a reader who answers with these texts, and `END` after each."""
    symbols = torch.full_like(batch.targets, END)
    for row, answer in zip(symbols, answers, strict=True):
        tokens = torch.tensor(task.target_characters.tokens(answer)[: len(row)])
        row[: len(tokens)] = tokens
    return one_hot(symbols, len(task.target_characters)).float()


def alignments(task: Translation, seed: int, n: int) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Sources, answers, and what is determined by what: pieces of the answer, each with its piece of the source."""
    batch, spans = task.aligned_sample(np.random.default_rng(seed), n)
    aligned = []
    for (source, answer), rows in zip(texts(task, batch), spans.tolist(), strict=True):
        runs = groupby(zip(map(tuple, rows), answer), key=lambda each: each[0])  # noqa: B905  # END has a span and no character
        pieces = [
            ("".join(character for _, character in run), source[slice(*span)])
            for span, run in runs
            if span[0] != UNALIGNED
        ]
        aligned.append((source, answer, pieces))
    return aligned


def is_symbol(batch: Batch) -> Tensor:
    """(n, U), true on the symbols of an answer, `END` among them."""
    return batch.targets != IGNORED
