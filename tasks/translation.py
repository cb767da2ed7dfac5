"""Translation, character by character: the answer is another text, and known is what determines each of its characters."""

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass as plain_dataclass
from functools import cached_property
from math import log

import numpy as np
import torch
from pydantic import model_validator
from pydantic.dataclasses import dataclass
from torch import Tensor

from tasks.split import OfParts, Split
from tasks.step import Step, in_steps
from tasks.task import IGNORED, STRICT, Batch, DataError, DifficultySampling, TaskSpec, answered_loss, hits, steps_mean

END = 0
"""The symbol that follows the last character of an answer."""


@plain_dataclass(frozen=True)
class Characters:
    """The characters of some texts and their tokens, from 1; token 0 is `END`.

    >>> characters = Characters.of(["drei", "zwei"])
    >>> len(characters), characters.tokens("drei"), characters.text([1, 5, 2, 3, 0])
    (7, [1, 4, 2, 3], 'dwei')
    """

    characters: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Characters":
        """Each character once, in the order of their code points."""
        return cls(tuple(sorted(set().union(*texts))))

    @cached_property
    def _index(self) -> dict[str, int]:
        return {character: token for token, character in enumerate(self.characters, start=1)}

    def __len__(self) -> int:
        """The number of tokens, with `END`."""
        return 1 + len(self.characters)

    def tokens(self, text: str) -> list[int]:
        """The tokens of a text, without `END`."""
        return [self._index[character] for character in text]

    def text(self, tokens: Iterable[int]) -> str:
        """The characters of some tokens; nothing for `END` and for what is ignored."""
        return "".join(self.characters[token - 1] for token in tokens if token > END)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Translation(OfParts):
    """A task whose answer is a text: targets (n, U), its characters and `END`; outputs (n, U, K).

    Inputs (n, T) are the characters of the source. Loss: cross-entropy in nats. Score: the share of right symbols, `END`
    among them. Both are means over pairs with equal weights. `split` "training", that of `mixture`, and "test", that of
    `at`, have no meaning in common, in whatever words it is said.
    """

    shortest: int | None = None
    difficulty_sampling: DifficultySampling = "uniform"
    split: Split = "test"

    @model_validator(mode="after")
    def _check_shortest(self) -> "Translation":
        self.check_shortest()
        return self

    @property
    @abstractmethod
    def source_characters(self) -> Characters:
        """The vocabulary of the sources, the same at every difficulty."""

    @property
    @abstractmethod
    def target_characters(self) -> Characters:
        """The vocabulary of the answers, the same at every difficulty."""

    @property
    @abstractmethod
    def longest(self) -> tuple[int, int]:
        """The most characters of a source and of an answer, `END` not counted."""

    @abstractmethod
    def aligned_sample(self, rng: np.random.Generator, n: int) -> tuple[Batch, Tensor]:
        """Every translation knows its alignment. `END` has none."""

    @abstractmethod
    def answers(self) -> Iterable[tuple[str, float]]:
        """Every answer and its probability."""

    @property
    def spec(self) -> TaskSpec:
        source, answer = self.longest
        return TaskSpec(
            len(self.source_characters),
            0,
            len(self.target_characters),
            per_step=False,
            length=source,
            symbols=answer + 1,
        )

    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        return self.aligned_sample(rng, n)[0]

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        return answered_loss(outputs, batch.targets)

    def score(self, outputs: Tensor, batch: Batch) -> Tensor:
        return steps_mean(hits(outputs, batch.targets), batch.targets != IGNORED)

    def further_scores(self, outputs: Tensor, batch: Batch) -> dict[str, Tensor]:
        """`exact_match`: the share of answers in which every symbol is right."""
        is_right = (outputs.argmax(-1) == batch.targets) | (batch.targets == IGNORED)
        return {"exact_match": is_right.all(-1).to(outputs.dtype).mean()}

    def references(self) -> dict[str, float]:
        """`chance`: the best constant answer."""
        return {"chance": best_constant(self.answers())[0], "perfect": 1.0}

    def loss_references(self) -> dict[str, float]:
        """`chance`: at each place every symbol has the probability that it has there."""
        return {"chance": best_constant(self.answers())[1]}

    def read_steps(self, batch: Batch, index: int) -> list[Step]:
        """The characters of the source."""
        return in_steps(self.source_characters.text(batch.inputs[index][batch.mask[index]].tolist()), {})

    def read(self, batch: Batch, index: int) -> str:
        source = self.source_characters.text(batch.inputs[index][batch.mask[index]].tolist())
        return f"{source} → {self.target_characters.text(batch.targets[index].tolist())}"


def best_constant(answers: Iterable[tuple[str, float]]) -> tuple[float, float]:
    """The best score and the lowest loss of a reader that sees nothing, given answers and their probabilities.

    At each place it says the symbol with which most is won: a right one is worth a share of its answer's length.

    >>> best_constant([("ab", 0.5), ("cb", 0.25), ("b", 0.25)])[0]  # a b END: all, two thirds, and nothing
    0.6666666666666666
    """
    won: Mapping[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for answer, probability in answers:
        for place, character in enumerate((*answer, "")):
            won[place][character] += probability / (len(answer) + 1)
    score = sum(max(values.values()) for values in won.values())
    loss = -sum(w * log(w / sum(values.values())) for values in won.values() for w in values.values())
    return score, loss


@contextmanager
def extra(task: str) -> Iterator[None]:
    """Within it, packages of the extra `text` are imported. Raises `DataError` where one is not installed."""
    try:
        yield
    except ImportError as error:
        raise DataError(
            f"the task {task} needs the package {error.name}; first: pip install 'recurrent-ablations[text]'"
        ) from error


def padded(rows: Sequence[np.ndarray], filling: int) -> np.ndarray:
    """Rows (length, …) of several lengths as one array (n, longest, …), with the filling after the end of each."""
    longest = max(map(len, rows))
    together = np.full((len(rows), longest, *rows[0].shape[1:]), filling)
    for place, row in zip(together, rows, strict=True):
        place[: len(row)] = row
    return together


def with_ends(characters: np.ndarray, lengths: np.ndarray) -> Tensor:
    """Targets (n, U + 1) from characters (n, U), of which each row has its own length (n,): `END`, and then `IGNORED`."""
    places = np.arange(characters.shape[1] + 1)
    longer = np.pad(characters, ((0, 0), (0, 1)))
    targets = np.select([places < lengths[:, None], places == lengths[:, None]], [longer, END], IGNORED)
    return torch.from_numpy(targets)
