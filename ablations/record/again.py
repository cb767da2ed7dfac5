"""The command that carries a whole plan out, as distinct from that of the last session."""

import shlex
from collections.abc import Mapping

from ablations.record.schema import StudyRecord


def command_again(study: StudyRecord) -> str:
    """The command that trains all of a study's plan, whatever part of it the last one was asked for.

    It names the study's file if it has one, and the seed and the parts of the budget that were changed.
    """
    provenance = study.provenance
    verb = "try" if str(provenance["command"]).split()[1:2] == ["try"] else "run"
    name = str(provenance.get("study_file", study.name))
    return shlex.join(["ablate", verb, name, "--scale", study.scale, *arguments(provenance.get("changes", {}))])


def arguments(changes: Mapping[str, int]) -> list[str]:
    """A changed seed and budget as arguments of a command.

    >>> arguments({"seed": 2, "search_seeds": 1})
    ['--seed', '2', '--search-seeds', '1']
    """
    return [word for name, value in changes.items() for word in (f"--{name.replace('_', '-')}", str(value))]
