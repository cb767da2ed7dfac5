"""The last parts of the report: equations, failures, method, provenance."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from ablations.record.again import command_again
from ablations.record.schema import ONE_BY_ONE, SettingRecord
from reports.document import Block, Formula, Heading, Paragraph, Table
from reports.prose import counted
from reports.result_tables import ResultTables
from reports.search_factors import described, size_note
from reports.theorems.measured import SOLVED

ENDS = ("finished", "pruned", "diverged")


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
    diverged, missing = int(counts["diverged"].sum()), missing_runs(results)
    yield Paragraph(
        f"{counted(diverged, 'run')} diverged and {counted(missing, 'planned run')} {'is' if missing == 1 else 'are'} "
        "missing. A replicate that diverged counts as guessing (skill 0). Pruned trials were clearly worse than the others "
        f"of their round.{_refusals(results)}"
    )
    yield from _failed_settings(results)
    yield Table("endings", counts, "How the runs of each setting ended.")


def _later_rounds(plan: Mapping[str, Any]) -> str:
    """How the rounds of a search are drawn."""
    name = plan["fixed"]["sampler"].partition("(")[0]
    known = {"tpe": "proposed by TPE from the results before", "random": "drawn at random"}
    later = known.get(name, f"proposed by Optuna's {name}")
    return f"the first is a Latin hypercube of the ranges, the same for all settings, and the others are {later}."


def _refusals(results: ResultTables) -> str:
    refusals = results.difficulty[results.difficulty["refused"]]
    variants = ", ".join(dict.fromkeys(refusals["variant"]))
    return (
        f" Sequences longer than in training were refused {counted(len(refusals), 'time')}, by {variants}."
        if variants
        else ""
    )


def _failed_settings(results: ResultTables) -> Iterator[Block]:
    """Each setting that failed, with its reason; nothing where none did."""
    rows = [[s.task, s.variant, s.failure] for s in results.study.settings if s.failure is not None]
    if rows:
        yield Table(
            "failed_settings",
            pd.DataFrame(rows, columns=["task", "variant", "reason"]),
            "The settings that failed. Their remaining runs count as missing. "
            f"`{command_again(results.study)}` tries them again.",
        )


def missing_runs(results: ResultTables) -> int:
    """The number of planned runs that the record does not hold, including those of settings that were not started."""
    total = sum(results.study.plan["runs"][variant] for _, variant in results.planned)
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
    ranges = "; ".join(described(name, space) for name, space in plan["nuisance"].items())
    fixed = ", ".join(f"{name} {value}" for name, value in plan["fixed"].items())
    yield Paragraph(
        f"Scientific factors, varied and reported: task ({', '.join(plan['tasks'])}) and variant "
        f"({', '.join(plan['variants'])}). Nuisance factors, searched for each setting: {ranges}. Fixed factors: {fixed}."
    )
    yield Paragraph(
        f"Every setting had the same budget: {counted(budget['trials'], 'trial')}, each on "
        f"{counted(budget['search_seeds'], 'search seed')}, and {counted(budget['replicates'], 'replicate')} of the best "
        f"trial. Trials come in rounds of {budget['trials_per_round']}; "
        f"{_later_rounds(plan)} Of trials with the same score the one with the lowest validation loss is the best. A run has "
        f"{counted(budget['steps'], 'optimiser step')} of {_batch(plan)} fresh sequences{_schedule(plan)}. "
        "Replicates run their whole budget, also when they have solved their task. A run is validated on "
        f"{counted(budget['validation'], 'sequence')} after each of {counted(budget['segments'], 'segment')}. Sequences to "
        "criterion are those seen "
        f"when the validation score first reached {plan['solved_at']}; a run that never did is censored. {_pruning(plan)} "
        f"{_sizes(results)}"
    )
    if plan["parents"]:
        yield Paragraph(
            "An ablation changes one part of its parent's cell, or one flag. It is compared in three views, and each leaves "
            "something else free. At equal parameters it is tuned like its parent, with its own search of the same budget: its "
            "hidden size can differ. At equal hidden size it is tuned too: its number of parameters can differ. Transferred, it "
            "has its parent's best hyperparameters and number of parameters: its hidden size can differ, and these "
            "hyperparameters need not suit it. Where the hidden sizes are equal at equal parameters, the first two are one."
        )
    yield Paragraph(
        f"{_curriculum(plan)} Replicates are "
        "paired: seed k gives every variant the same data. Search, training, validation and test streams are disjoint. Each "
        f"replicate is tested on {budget['test']} sequences at each difficulty of a grid, which includes difficulties above "
        "the nominal one. Skill is (score − chance) / (perfect − chance). All random numbers derive from seed "
        f"{plan['seed']}, those of the report from streams that are named after what they estimate.{_far_tests(budget)}"
    )
    yield Table(
        "settings",
        results.settings,
        "The settings. `size` says how the hidden size was chosen: nearest to a number of parameters, or equal to another "
        "variant's on the same task.",
    )
    references = pd.DataFrame.from_dict({s.task: s.references for s in results.study.settings}, orient="index")
    yield Table("references", references.rename_axis("task").reset_index(), "The exact reference scores of the tasks.")


def _batch(plan: Mapping[str, Any]) -> str:
    """How many sequences a step has."""
    return "as many as its batch is searched to have" if "batch" in plan["nuisance"] else str(plan["budget"]["batch"])


def _schedule(plan: Mapping[str, Any]) -> str:
    """What the learning rate does, where it is the same for all."""
    if {"schedule", "warmup"} & {*plan["nuisance"], *plan["fixed"]}:
        return "; what its learning rate does is among the factors above"
    return ", and its learning rate falls linearly to zero"


def _curriculum(plan: Mapping[str, Any]) -> str:
    """What models are trained on."""
    if "curriculum" in {*plan["nuisance"], *plan["fixed"]}:
        return "What difficulties models are trained on is among the factors above."
    return "Models are trained on a logarithmic mixture of difficulties, from the easiest to the nominal one."


def _pruning(plan: Mapping[str, Any]) -> str:
    """When a trial is stopped before its end."""
    pruner = plan["fixed"].get("pruner")
    if pruner == "none":
        return "No trial is pruned."
    if pruner:
        return f"Trials of a round are pruned by Optuna, with {pruner}, each as if the others had just ended."
    return (
        "A trial is pruned after half of its budget if its best seed is worse than the worst seed of the median trial of its "
        "round, by more than two standard errors of such a difference."
    )


def _far_tests(budget: Mapping[str, Any]) -> str:
    """What is done far beyond training, if anything is."""
    far = ", ".join(f"{difficulty:,}" for difficulty in budget.get("far", ()))
    return far and (
        f" Far beyond training, at the difficulties {far}, each replicate is tested on {budget['far_sequences']} sequences. "
        f"These count beside theorems and nowhere else. A score of at least {SOLVED} solves a difficulty: all must be right."
    )


def _sizes(results: ResultTables) -> str:
    """What sizes the models have; the budget's number of parameters, and other sizes if there are any."""
    if note := size_note(results.study):
        return note
    usual = f"{results.study.plan['budget']['parameters']:,} parameters"
    others = {s.variant: s.size_rule for s in results.study.settings if s.size_rule != usual}
    listed = ", ".join(f"{variant} ({rule})" for variant, rule in others.items())
    return (
        f"Every model has about {usual}, counting those that are not trained{f', but for {listed}' if listed else ''}."
    )


def provenance_blocks(results: ResultTables) -> Iterator[Block]:
    """The commands, versions and machine that the numbers come from."""
    study, provenance = results.study, results.study.provenance
    versions = ", ".join(f"{name} {version}" for name, version in provenance["versions"].items())
    facts = {
        "command": command_again(study),
        "last command": provenance["command"],
        "commit": provenance["commit"],
        "started": provenance["started"],
        "wall time": f"{provenance['wall_seconds'] / 60:.1f} minutes in all",
        "machine": f"{provenance['cores']} cores, {provenance.get('workers', 1)} workers, {provenance['device']}",
        "versions": versions,
        "computed by": _backends(results),
        **_one_by_one(results),
        "seed": str(study.plan["seed"]),
        "MLflow experiment": f"{study.name}-{study.scale} (id {study.experiment_id})",
    }
    if file := provenance.get("study_file"):
        facts["study file"] = f"{file}; `ablate report` of this file adds its own claims and figures"
        facts["study file's commit"] = provenance.get("study_commit", "unknown")
    yield Heading("Provenance")
    yield Table("provenance", pd.DataFrame(facts.items(), columns=["fact", "value"]), "How to reproduce these numbers.")


def _one_by_one(results: ResultTables) -> dict[str, str]:
    """Which networks were trained run by run; nothing where all were trained together."""
    study = results.study
    names = {setting.identity: setting.variant for setting in study.settings}
    runs = (*study.trials, *study.replicates, *study.transferred)
    alone = dict.fromkeys(names[run.setting] for run in runs if run.factors.get("trained") == ONE_BY_ONE)
    if not alone:
        return {}
    why = "torch's vmap cannot compute these networks for all runs at once, which makes them slower to train"
    return {"trained one by one": f"{', '.join(alone)}: {why}"}


def _backends(results: ResultTables) -> str:
    """How many runs computed their cells by each backend."""
    study = results.study
    counts = Counter(
        str(run.factors["backend"])
        for run in (*study.trials, *study.replicates, *study.transferred)
        if "backend" in run.factors
    )
    return (
        ", ".join(f"{backend} backend, {counted(count, 'run')}" for backend, count in sorted(counts.items()))
        or "no run with cells"
    )
