"""The last parts of the report: equations, failures, method, provenance."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from reports.document import Block, Formula, Heading, Paragraph, Table
from reports.result_tables import ResultTables

ENDS = ("finished", "solved", "pruned", "diverged")


def equation_blocks(results: ResultTables) -> Iterator[Block]:
    """The equations of every cell in the study, as they ran."""
    yield Heading("The cells' equations")
    yield Paragraph(
        "Printed from the code that ran. W, R and b are a gate's input weights, recurrent weights and bias, d the bias of "
        "a recurrent part that stands apart, V the weights of gates that are fed back, small letters without a time weights of "
        "single units, ⊙ the elementwise product; x is the input, h the output."
    )
    shown: set[str] = set()
    for setting in results.study.settings:
        key = str(setting.equations)
        if setting.equations and key not in shown:
            shown.add(key)
            users = {s.variant: s for s in results.study.settings if str(s.equations) == key}
            yield Heading(", ".join(users), level=2)
            told = [f"{name} is an ablation of {s.parent}: {s.change}." for name, s in users.items() if s.parent]
            if told:
                yield Paragraph(" ".join(told))
            yield from (Formula(e["mathml"], e["typst"], e["text"]) for e in setting.equations)


def failure_blocks(results: ResultTables) -> Iterator[Block]:
    """How every planned run ended; nothing is dropped."""
    yield Heading("Failures")
    frame = endings(results)
    missing, diverged = _missing(results), int(frame["diverged"].sum())
    refused = results.difficulty[results.difficulty["refused"]]
    who = ", ".join(dict.fromkeys(refused["variant"]))
    refusals = f" Longer sequences than the trained were refused {len(refused)} times, by {who}." if who else ""
    yield Paragraph(
        f"{diverged} runs diverged and {missing} planned runs are missing. A replicate that diverged counts as guessing "
        f"(skill 0). Pruned trials were stopped by the median rule.{refusals}"
    )
    yield Table("endings", frame, "How the runs of each setting ended; solved ones stopped early at the criterion.")


def _missing(results: ResultTables) -> int:
    """The planned runs that the record does not hold, those of settings that have not been begun included."""
    plan = results.study.plan
    planned = len(plan["tasks"]) * sum(runs_planned(plan, variant) for variant in plan["variants"])
    return max(0, planned - len(results.trials) - len(results.replicates) - len(results.transferred))


def runs_planned(plan: Mapping[str, Any], variant: str) -> int:
    """The trainings that each setting of a variant was to have."""
    budget = plan["budget"]
    times = 2 if variant in plan["parents"] else 1
    return budget["trials"] * budget["search_seeds"] + times * budget["replicates"]


def endings(results: ResultTables) -> pd.DataFrame:
    """task, variant, and how many trials, replicates and transferred runs ended in each way, or are missing."""
    columns = ["task", "variant", "status"]
    runs = pd.concat([frame[columns] for frame in (results.trials, results.replicates, results.transferred)])
    rows = []
    for setting in results.study.settings:
        own = runs[(runs["task"] == setting.task) & (runs["variant"] == setting.variant)]["status"]
        planned = runs_planned(results.study.plan, setting.variant)
        counts = [int((own == end).sum()) for end in ENDS]
        rows.append([setting.task, setting.variant, *counts, max(0, planned - len(own))])
    return pd.DataFrame(rows, columns=["task", "variant", *ENDS, "missing"])


def method_blocks(results: ResultTables) -> Iterator[Block]:
    """What was varied, searched and fixed, with which budget, and how the numbers were made."""
    plan, budget = results.study.plan, results.study.plan["budget"]
    yield Heading("Method")
    searched = "; ".join(
        f"{name} from {r['low']:g} to {r['high']:g}{' (logarithmic)' if r['log'] else ''}"
        for name, r in plan["nuisance"].items()
    )
    fixed = ", ".join(f"{name} {value}" for name, value in plan["fixed"].items())
    yield Paragraph(
        f"Scientific factors, varied and reported: task ({', '.join(plan['tasks'])}) and variant "
        f"({', '.join(plan['variants'])}). Nuisance factors, searched for each setting: {searched}. Fixed: {fixed}."
    )
    yield Paragraph(
        f"Every setting had the same budget: {budget['trials']} trials, asked in rounds of {budget['trials_per_round']}, "
        "the first round a Latin hypercube of the ranges that is the same for all settings (search seeds: "
        f"{budget['search_seeds']}), and {budget['replicates']} replicates of the best one, each at most "
        f"{budget['steps']} optimiser steps of {budget['batch']} fresh sequences, the learning rate falling linearly to "
        f"zero. Validation ({budget['validation']} "
        f"sequences) after each of {budget['segments']} segments; a run stops at a validation score of {plan['solved_at']}. "
        f"Every model was sized to about {budget['parameters']} parameters, frozen ones included."
    )
    if plan["parents"]:
        yield Paragraph(
            "An ablation differs from its parent in one thing. It is compared twice: tuned anew, with the same budget as its "
            "parent, and transferred, its replicates trained once more with the best hyperparameters of its parent."
        )
    yield Paragraph(
        "Training mixes difficulties from the easiest up to the nominal one, logarithmically. Replicates are paired: seed "
        "k gives every variant the same data. Search, training, validation and test streams are disjoint; each replicate "
        f"is tested on {budget['test']} sequences at each difficulty of the grid, harder ones than trained included. Skill "
        "is (score − chance) / (perfect − chance). Intervals are percentile bootstraps over replicates, stratified by task "
        "where tasks are pooled; with few replicates they are too narrow: of normal data "
        "they cover the truth in 82 % of cases with 5 runs, 88 % with 6, 89 % with 10, 94 % with 29. All randomness comes from "
        f"seed {plan['seed']}."
    )
    yield Table("settings", results.settings, "The settings, with hidden sizes solved for equal parameter count.")
    references = pd.DataFrame.from_dict({s.task: s.references for s in results.study.settings}, orient="index")
    yield Table("references", references.rename_axis("task").reset_index(), "Exact reference scores of the tasks.")


def provenance_blocks(results: ResultTables) -> Iterator[Block]:
    """Where the numbers come from."""
    study, made = results.study, results.study.provenance
    versions = ", ".join(f"{name} {version}" for name, version in made["versions"].items())
    facts = {
        "command": made["command"],
        "commit": made["commit"],
        "started": made["started"],
        "wall time": f"{made['wall_seconds'] / 60:.1f} minutes in all",
        "machine": f"{made['cores']} cores, {made.get('workers', 1)} workers, {made['device']}",
        "versions": versions,
        "computed by": _paths(results),
        "seed": str(study.plan["seed"]),
        "MLflow experiment": f"{study.name}-{study.scale} (id {study.experiment_id})",
    }
    if file := made.get("study_file"):
        facts["study file"] = f"{file}; `ablate report` of this file adds its own claims and figures"
    yield Heading("Provenance")
    yield Table(
        "provenance", pd.DataFrame(facts.items(), columns=["fact", "value"]), "How to make these numbers again."
    )


def _paths(results: ResultTables) -> str:
    """How many runs computed their cells in which way."""
    study = results.study
    backends = Counter(
        str(run.factors["backend"])
        for run in (*study.trials, *study.replicates, *study.transferred)
        if "backend" in run.factors
    )
    return (
        ", ".join(f"{backend} backend, {count} runs" for backend, count in sorted(backends.items()))
        or "no run with cells"
    )
