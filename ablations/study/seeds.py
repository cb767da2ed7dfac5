"""Every random stream of a study, derived from the study's one seed and the stream's own name."""

import hashlib
import json

import numpy as np


def stream(seed: int, *name: str | int) -> np.random.SeedSequence:
    """The seed of the stream with that name: equal names give equal streams, other names independent ones.

    >>> stream(0, "train", 3).generate_state(1) == stream(0, "train", 3).generate_state(1)
    array([ True])
    """
    digest = hashlib.sha256(json.dumps(name).encode()).digest()
    return np.random.SeedSequence([seed, *np.frombuffer(digest, dtype=np.uint32).tolist()])


def generator(seed: int, *name: str | int) -> np.random.Generator:
    """A generator at the start of the stream with that name."""
    return np.random.default_rng(stream(seed, *name))


def integer(seed: int, *name: str | int) -> int:
    """The first 32 bits of the stream with that name, for libraries that want an integer as their seed."""
    return int(stream(seed, *name).generate_state(1)[0])
