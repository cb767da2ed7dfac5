"""The questions, one file each."""

from ablations.registry import is_file, look_up
from ablations.studies import (
    atlas,
    attention,
    claims,
    direction,
    gru_ablation,
    lstm_ablation,
    pooling,
    rnn_ablation,
    state_tracking,
    tasks,
)
from ablations.study import Study
from ablations.study.file import load_study

STUDIES: dict[str, Study] = {
    module.STUDY.name: module.STUDY
    for module in (
        claims,
        tasks,
        attention,
        state_tracking,
        lstm_ablation,
        gru_ablation,
        rnn_ablation,
        direction,
        pooling,
        atlas,
    )
}
"""Every study by name."""


def find(name: str) -> Study:
    """The study of that name, or the one that a Python file of that path defines as `STUDY`.

    Raises `UserError` where there is none, or where the file has an error.
    """
    return load_study(name, STUDIES) if is_file(name) else look_up(STUDIES, name, "study")
