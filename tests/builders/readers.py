"""Readers with less than full information: what they answer, how they score, and how exact a sampled score is."""

from math import sqrt

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch.nn.functional import one_hot

from tasks import Batch, Task


def rows(batch: Batch) -> list[list[int]]:
    """The tokens of each sequence, without its padding."""
    return [row[real].tolist() for row, real in zip(batch.inputs, batch.mask, strict=True)]


def score(task: Task, batch: Batch, answers: list[int]) -> float:
    """The score of these classes as answers, one for each sequence."""
    return float(task.score(one_hot(torch.tensor(answers), task.spec.outputs).float(), batch))


def error(reference: float, n: int) -> float:
    """Four standard errors of a score over n independent answers."""
    return 4 * sqrt(reference * (1 - reference) / n) + 1e-6


def ngrams(batch: Batch, vocabulary: int, longest: int) -> np.ndarray:
    """How often each n-gram of up to `longest` tokens occurs: (n, features)."""
    columns = []
    for length in range(1, longest + 1):
        counts = np.zeros((len(batch.inputs), vocabulary**length))
        for number, row in enumerate(rows(batch)):
            codes = np.array(row)
            grams = sum(codes[k : len(codes) - length + 1 + k] * vocabulary**k for k in range(length))
            np.add.at(counts[number], grams, 1)
        columns.append(counts)
    return np.concatenate(columns, axis=1)


def detector_score(train: np.ndarray, train_classes: np.ndarray, test: np.ndarray, classes: np.ndarray) -> float:
    """The accuracy on fresh sequences of a logistic regression on features (n, F)."""
    mean, spread = train.mean(axis=0), train.std(axis=0)
    train, test = ((features - mean) / np.where(spread == 0, 1, spread) for features in (train, test))
    return float(LogisticRegression(C=0.1, max_iter=1000).fit(train, train_classes).score(test, classes))
