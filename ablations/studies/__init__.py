"""The questions, one file each."""

from collections.abc import Iterator, Mapping
from importlib import import_module

from ablations.registry import is_file, look_up
from ablations.study import Study
from ablations.study.file import load_study

FILES = (
    "claims",
    "tasks",
    "attention",
    "state_tracking",
    "lstm_ablation",
    "gru_ablation",
    "rnn_ablation",
    "direction",
    "pooling",
    "atlas",
)
"""The files of this folder that hold a study, each of its file's name."""


class _Studies(Mapping[str, Study]):
    """Imports the file of a study when it is asked for: those of ablations build their networks to compare sizes."""

    def __getitem__(self, name: str) -> Study:
        if name not in FILES:
            raise KeyError(name)
        study: Study = import_module(f"{__name__}.{name}").STUDY
        return study

    def __iter__(self) -> Iterator[str]:
        return iter(FILES)

    def __len__(self) -> int:
        return len(FILES)


STUDIES: Mapping[str, Study] = _Studies()
"""Every study by name."""


def find(name: str) -> Study:
    """The study of that name, or the one that a Python file of that path defines as `STUDY`.

    Raises `UserError` where there is none, or where the file has an error.
    """
    return load_study(name, STUDIES) if is_file(name) else look_up(STUDIES, name, "study")
