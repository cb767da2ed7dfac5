"""A record written without training: what a recorder is given of one small plan, with made-up numbers."""

from dataclasses import replace

from ablations.record.protocol import Recorder
from ablations.record.schema import RunRecord, SettingRecord, StudyRecord
from ablations.run.entries import setting_entry
from ablations.study import Plan, Study

TRIALS, REPLICATES = 2, 3


def one_setting(study: Study) -> Plan:
    """The plan of a study cut down to one task, its baseline, two trials and three replicates."""
    scale = study.scales["smoke"]
    label = next(iter(scale.tasks))
    variants = tuple(variant for variant in study.variants if variant.name == study.baseline)
    small = replace(study, variants=variants, scales={"smoke": replace(scale, tasks={label: scale.tasks[label]})})
    budget = {"trials": TRIALS, "trials_per_round": 1, "search_seeds": 1, "replicates": REPLICATES}
    return small.with_changes("smoke", budget).at("smoke")


def setting_of(plan: Plan) -> SettingRecord:
    return setting_entry(plan, plan.settings[0])


def runs_of(setting: SettingRecord) -> list[RunRecord]:
    """Two trials, of which the second is the best, and its three replicates."""
    trials = [_run(setting, "trial", number, {"lr": 0.01 * (number + 1), "seed": 0}) for number in range(TRIALS)]
    factors = {"lr": 0.02, "backend": "kernel", "trial": 1}
    return trials + [_run(setting, "replicate", number, {**factors, "seed": number}) for number in range(REPLICATES)]


def write(recorder: Recorder, setting: SettingRecord, runs: list[RunRecord] | None = None) -> int:
    """Writes what the recorder does not hold yet; returns how many runs that were."""
    recorder.open_setting(setting)
    missing = [run for run in runs or runs_of(setting) if run.identity not in recorder.finished]
    for run in missing:
        recorder.add(run, setting)
    recorder.close_parent(setting.identity, {"best_trial": 1, "best.lr": "0.02"})
    recorder.set_provenance({"commit": "0123", "started": "2026-01-02"})
    return len(missing)


def counts(record: StudyRecord) -> tuple[int, int, int]:
    """Settings, trials and replicates."""
    return len(record.settings), len(record.trials), len(record.replicates)


def _run(setting: SettingRecord, kind: str, number: int, factors: dict[str, float | str]) -> RunRecord:
    curve = tuple((4 * step, 0.1 * step + 0.01 * number) for step in (1, 2))
    scores, tested = {"final_validation_score": curve[-1][1], "final_validation_loss": 0.5}, {}
    if kind != "trial":
        scores |= {"test_score": 0.7, "test_loss": 0.4}
        tested = {"test_score_by_difficulty": ((4, 0.7), (8, 0.6))}
    return RunRecord(
        identity=f"{setting.identity}-{kind}-{number}",
        kind=kind,  # type: ignore[arg-type]
        number=number,
        status="finished",
        factors=factors,
        metrics={"objective": 0.5 + 0.1 * number, **scores},
        history={"validation_score": curve, **tested},
        setting=setting.identity,
    )
