"""Finding things by name."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

from ablations.errors import LONGEST_GIVEN, UserError, shortened

T = TypeVar("T")

MOST_NAMED = 10
"""Up to so many names that there are, all are said; of more, `NEAREST`."""

NEAREST = 8

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "lr": ("learning_rate", "learningrate", "rate", "alpha", "eta", "step_size"),
    "clip": (
        "grad_clip",
        "gradient_clip",
        "gradient_clipping",
        "clip_norm",
        "clip_grad_norm",
        "max_norm",
        "max_grad_norm",
    ),
    "weight_decay": ("wd", "decay", "l2", "weightdecay", "weight_decay_rate"),
    "momentum": ("beta", "beta1", "mu"),
    "warmup": ("warm_up", "warmup_steps", "warmup_ratio", "num_warmup_steps"),
    "schedule": ("scheduler", "lr_schedule", "lr_scheduler", "decay_schedule"),
    "optimiser": ("optimizer", "optim", "opt"),
    "batch": ("batch_size", "batchsize", "bsz", "bs", "train_batch_size"),
    "hidden": (
        "hidden_size",
        "hidden_dim",
        "hidden_units",
        "n_hidden",
        "num_hidden",
        "d_model",
        "units",
        "width",
        "size",
    ),
    "parameters": ("params", "n_params", "num_params", "num_parameters", "n_parameters", "parameter_count"),
    "layers": ("num_layers", "n_layers", "depth", "num_hidden_layers"),
    "dropout": ("p", "p_dropout", "drop", "dropout_rate", "dropout_p", "drop_prob"),
    "initialisation": ("init", "initialization", "initializer", "weight_init"),
    "pooling": ("pool", "readout", "aggregation"),
    "trials": ("n_trials", "num_trials", "draws"),
    "replicates": ("replicas", "repeats", "seeds", "n_seeds", "num_seeds", "runs"),
    "steps": ("num_steps", "n_steps", "max_steps", "iterations", "epochs", "updates"),
    "nuisance": ("search", "search_space", "space", "hyperparameters", "distributions"),
}
"""Names of this project, and what users of PyTorch, Optuna and others call the same."""


def look_up(registry: Mapping[str, T], name: str | type, kind: str) -> T:
    """The entry of that name. Raises `UserError`, with the nearest name if there is a near one, and all that there are.

    >>> look_up({"lstm": 1, "gru": 2}, "ltsm", "cell")
    Traceback (most recent call last):
        ...
    ablations.errors.UserError: unknown cell 'ltsm'; did you mean 'lstm'? Known: lstm, gru
    >>> look_up({"lstm": dict}, dict, "cell")
    Traceback (most recent call last):
        ...
    ablations.errors.UserError: unknown cell <class 'dict'>; a cell is given by its name, here 'lstm'
    """
    if isinstance(name, type):
        own = (f", here {key!r}" for key, entry in registry.items() if getattr(entry, "func", entry) is name)
        hint = next(own, f" in {kind.upper()}S" if kind.isalpha() else "")
        given = shortened(repr(name), LONGEST_GIVEN)
        raise UserError(f"unknown {kind} {given}; a {kind} is given by its name{hint}")
    check_known(registry, name, kind)
    return registry[name]


def check_known(known: Iterable[str], name: str, kind: str) -> None:
    """Raises `UserError`, as `look_up` does, where the name is not a known one."""
    names = list(known)
    if name not in names:
        raise UserError(unknown(kind, name, names))


def unknown(kind: str, name: object, known: Iterable[str], most: int = MOST_NAMED) -> str:
    """The one line that says that there is no such thing, and what there is: all of it, if that is no more than `most`."""
    names = [str(each) for each in known]
    near = nearest(str(name), names)
    hint = f"did you mean {near!r}? Known: " if near else "known: "
    return f"unknown {kind} {shortened(repr(name), LONGEST_GIVEN)}; {hint}{_listed(str(name), names, most) or 'none'}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The name that was probably meant: the one that this project uses for the same thing, or the most similar one.

    >>> nearest("learning_rate", ["lr", "warmup"]), nearest("num_layers", ["layers", "hidden"]), nearest("lstn", ["lstm"])
    ('lr', 'layers', 'lstm')
    """
    names, text = list(known), name.lower()[:LONGEST_GIVEN]
    same = next((own for own, others in SYNONYMS.items() if own in names and text in others), None)
    return same or next(iter(get_close_matches(text, names, n=1)), None)


def _listed(name: str, names: list[str], most: int) -> str:
    """All names; of many, those that are most like the one that was given."""
    if len(names) <= most:
        return ", ".join(names)
    close = get_close_matches(name.lower()[:LONGEST_GIVEN], names, n=NEAREST, cutoff=0.0)
    return f"{', '.join(close)}, … ({len(names)} in all)"


def is_file(name: str) -> bool:
    """Whether a user means a Python file, and not the name of something.

    >>> is_file("own_study.py"), is_file("claims")
    (True, False)
    """
    return name.endswith(".py")
