"""How far a study is, in text."""

from collections import Counter
from collections.abc import Iterator
from statistics import fmean

from ablations.record.again import arguments
from ablations.record.schema import StudyRecord


def describe_status(study: StudyRecord) -> Iterator[str]:
    """The lines about a record: runs of each setting, how they ended, and the mean test score so far."""
    budget = study.plan["budget"]
    changes = " ".join(arguments(study.provenance.get("changes", {})))
    yield f"{study.name} at scale {study.scale}{f', {changes}' if changes else ''}: {study.plan['question']}"
    width = max(40, *(len(f"{setting.task}/{setting.variant}") for setting in study.settings), 0)
    yield f"{'setting':{width}} {'trainings':>9} {'replicates':>10} {'transferred':>7} {'score':>7}  ended early"
    for setting in study.settings:
        trials, replicates, transferred = (
            [run for run in runs if run.setting == setting.identity]
            for runs in (study.trials, study.replicates, study.transferred)
        )
        scores = [run.metrics["test_score"] for run in replicates if "test_score" in run.metrics]
        score = f"{fmean(scores):.3f}" if scores else "-"
        ends = Counter(run.status for run in trials + replicates + transferred if run.status != "finished")
        again = budget["replicates"] if setting.variant in study.plan["parents"] else 0
        early = ", ".join(f"{count} {status}" for status, count in sorted(ends.items()))
        early = f"failed: {setting.failure}" if setting.failure else early
        yield (
            f"{setting.task + '/' + setting.variant:{width}} {len(trials):>5}/{budget['trials'] * budget['search_seeds']:<3} "
            f"{len(replicates):>6}/{budget['replicates']:<3} {len(transferred):>4}/{again:<2} {score:>7}  {early}"
        )
    planned = sum(map(len, study.plan["settings"].values()))
    yield f"{len(study.settings)} of {planned} settings started"
