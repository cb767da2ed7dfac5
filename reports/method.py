"""The last parts of the report: equations, failures, method, provenance."""

from collections import Counter
from collections.abc import Iterator, Mapping

import pandas as pd

from ablations.record.schema import SettingRecord
from reports.document import Block, Formula, Heading, Paragraph, Table
from reports.result_tables import ResultTables

ENDS = ("finished", "solved", "pruned", "diverged")


def equation_blocks(results: ResultTables) -> Iterator[Block]:
    """The equations of every cell in the study."""
    yield Heading("The cells' equations")
    yield Paragraph(
        "These equations are generated from the code that ran. x is the input and h the output. W, R and b are a gate's input "
        "weights, recurrent weights and bias. d is the bias of a recurrent part that is kept apart from the input part. V are "
        "the weights of gates that are fed back. Small letters without a time are one weight per unit. ⊙ is the elementwise "
        "product."
    )
    by_equations: dict[str, dict[str, SettingRecord]] = {}
    for setting in results.study.settings:
        if setting.equations:
            by_equations.setdefault(str(setting.equations), {}).setdefault(setting.variant, setting)
    for variants in by_equations.values():
        yield from _cell_blocks(variants)


def _cell_blocks(variants: Mapping[str, SettingRecord]) -> Iterator[Block]:
    """The equations of one cell, under the names of all variants that have it."""
    yield Heading(", ".join(variants), level=2)
    ablations = [f"{name} is an ablation of {s.parent}: {s.change}." for name, s in variants.items() if s.parent]
    if ablations:
        yield Paragraph(" ".join(ablations))
    setting = next(iter(variants.values()))
    yield from (Formula(e["mathml"], e["typst"], e["text"]) for e in setting.equations)


def failure_blocks(results: ResultTables) -> Iterator[Block]:
    """How every planned run ended, and why settings failed."""
    yield Heading("Failures")
    counts = endings(results)
    diverged = int(counts["diverged"].sum())
    yield Paragraph(
        f"{diverged} runs diverged and {_runs_missing(results)} planned runs are missing. A replicate that diverged counts as "
        f"guessing (skill 0). Pruned trials were stopped by the median rule.{_refusals(results)}"
    )
    yield from _failed_settings(results)
    yield Table(
        "endings",
        counts,
        "How the runs of each setting ended. Solved runs stopped early because they reached the criterion.",
    )


def _refusals(results: ResultTables) -> str:
    refusals = results.difficulty[results.difficulty["refused"]]
    variants = ", ".join(dict.fromkeys(refusals["variant"]))
    return f" Sequences longer than in training were refused {len(refusals)} times, by {variants}." if variants else ""


def _failed_settings(results: ResultTables) -> Iterator[Block]:
    """Each setting that failed, with its reason; nothing where none did."""
    rows = [[s.task, s.variant, s.failure] for s in results.study.settings if s.failure is not None]
    if rows:
        yield Table(
            "failed_settings",
            pd.DataFrame(rows, columns=["task", "variant", "reason"]),
            "The settings that failed. Their remaining runs count as missing; `ablate run` tries them again.",
        )


def _runs_missing(results: ResultTables) -> int:
    """The number of planned runs that the record does not hold, including those of settings that were not started."""
    plan = results.study.plan
    total = len(plan["tasks"]) * sum(plan["runs"].values())
    return max(0, total - len(results.trials) - len(results.replicates) - len(results.transferred))


def endings(results: ResultTables) -> pd.DataFrame:
    """task, variant, and the numbers of its runs (of every kind) that ended in each way or are missing."""
    columns = ["task", "variant", "status"]
    runs = pd.concat([frame[columns] for frame in (results.trials, results.replicates, results.transferred)])
    rows = []
    for setting in results.study.settings:
        own = runs[(runs["task"] == setting.task) & (runs["variant"] == setting.variant)]["status"]
        missing = max(0, results.study.plan["runs"][setting.variant] - len(own))
        counts = [int((own == end).sum()) for end in ENDS]
        rows.append([setting.task, setting.variant, *counts, missing])
    return pd.DataFrame(rows, columns=["task", "variant", *ENDS, "missing"])


def method_blocks(results: ResultTables) -> Iterator[Block]:
    """The scientific, nuisance and fixed factors, the budget, and how the numbers were computed."""
    plan, budget = results.study.plan, results.study.plan["budget"]
    yield Heading("Method")
    ranges = "; ".join(
        f"{name} from {r['low']:g} to {r['high']:g}{' (logarithmic)' if r['log'] else ''}"
        for name, r in plan["nuisance"].items()
    )
    fixed = ", ".join(f"{name} {value}" for name, value in plan["fixed"].items())
    yield Paragraph(
        f"Scientific factors, varied and reported: task ({', '.join(plan['tasks'])}) and variant "
        f"({', '.join(plan['variants'])}). Nuisance factors, searched for each setting: {ranges}. Fixed factors: {fixed}."
    )
    yield Paragraph(
        f"Every setting had the same budget: {budget['trials']} trials, each on {budget['search_seeds']} search seeds, and "
        f"{budget['replicates']} replicates of the best trial. Trials were proposed in rounds of {budget['trials_per_round']}; "
        "the first round is a Latin hypercube of the ranges, the same for all settings. A run has at most "
        f"{budget['steps']} optimiser steps of {budget['batch']} fresh sequences, and its learning rate falls linearly to zero. "
        f"It is validated on {budget['validation']} sequences after each of {budget['segments']} segments, and stops at a "
        f"validation score of {plan['solved_at']}. Every model has about {budget['parameters']} parameters, counting those "
        "that are not trained."
    )
    if plan["parents"]:
        yield Paragraph(
            "An ablation differs from its parent in one thing. It is compared twice: tuned, with its own search of the same "
            "budget as its parent's; and transferred, with the best hyperparameters of its parent."
        )
    yield Paragraph(
        "Models are trained on a logarithmic mixture of difficulties, from the easiest to the nominal one. Replicates are "
        "paired: seed k gives every variant the same data. Search, training, validation and test streams are disjoint. Each "
        f"replicate is tested on {budget['test']} sequences at each difficulty of a grid, which includes difficulties above "
        "the nominal one. Skill is (score − chance) / (perfect − chance). All random numbers derive from seed "
        f"{plan['seed']}, those of the report from streams that are named after what they estimate."
    )
    yield Table(
        "settings",
        results.settings,
        "The settings. Hidden sizes were chosen so that the parameter counts are about equal.",
    )
    references = pd.DataFrame.from_dict({s.task: s.references for s in results.study.settings}, orient="index")
    yield Table("references", references.rename_axis("task").reset_index(), "The exact reference scores of the tasks.")


def provenance_blocks(results: ResultTables) -> Iterator[Block]:
    """The command, versions and machine that the numbers come from."""
    study, provenance = results.study, results.study.provenance
    versions = ", ".join(f"{name} {version}" for name, version in provenance["versions"].items())
    facts = {
        "command": provenance["command"],
        "commit": provenance["commit"],
        "started": provenance["started"],
        "wall time": f"{provenance['wall_seconds'] / 60:.1f} minutes in all",
        "machine": f"{provenance['cores']} cores, {provenance.get('workers', 1)} workers, {provenance['device']}",
        "versions": versions,
        "computed by": _backends(results),
        "seed": str(study.plan["seed"]),
        "MLflow experiment": f"{study.name}-{study.scale} (id {study.experiment_id})",
    }
    if file := provenance.get("study_file"):
        facts["study file"] = f"{file}; `ablate report` of this file adds its own claims and figures"
    yield Heading("Provenance")
    yield Table("provenance", pd.DataFrame(facts.items(), columns=["fact", "value"]), "How to reproduce these numbers.")


def _backends(results: ResultTables) -> str:
    """How many runs computed their cells by each backend."""
    study = results.study
    counts = Counter(
        str(run.factors["backend"])
        for run in (*study.trials, *study.replicates, *study.transferred)
        if "backend" in run.factors
    )
    return (
        ", ".join(f"{backend} backend, {count} runs" for backend, count in sorted(counts.items()))
        or "no run with cells"
    )
