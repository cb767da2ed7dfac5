"""A made-up record of a whole study, for the tests of the report: plausible by default, and steered where it matters."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ablations.record.schema import RunRecord, SettingRecord, StudyRecord

# task -> name of the difficulty, nominal value, grid, references
TASKS: dict[str, tuple[str, int, tuple[int, ...], dict[str, float]]] = {
    "copying": ("delay", 6, (2, 4, 6, 9, 12), {"chance": 0.125, "perfect": 1.0}),
    "adding": ("length", 24, (6, 12, 24, 36, 48), {"chance": 0.08, "perfect": 1.0}),
    "france": ("gap", 24, (3, 6, 12, 24, 36, 48), {"chance": 0.1, "last country": 0.75, "perfect": 1.0}),
    "disambiguation": ("lookahead", 2, (1, 2, 3, 4), {"chance": 0.5, "causal": 0.75, "perfect": 1.0}),
}
TEXTS: dict[str, tuple[str, int, tuple[int, ...], dict[str, float]]] = {
    "dates": ("languages", 3, (3, 5, 6), {"chance": 0.5, "perfect": 1.0}),
    "numbers": ("digits", 5, (3, 5, 6), {"chance": 0.4, "perfect": 1.0}),
    "sentiment": ("distance", 3, (1, 2, 3, 5, 6), {"chance": 0.5, "perfect": 1.0}),
}
"""Those that not every network reads."""
PAIRS = {"dates": ("1 мая 2026 г.", "2026-05-01"), "numbers": ("sixty", "sechzig")}
"""A pair of each task whose answers are written."""
ATTENDING = ("bilstm-attention", "bilstm-uniform")
GATES = {"rnn": "", "lstm": "ifo", "gru": "rz", "bilstm": "ifo"}
"""The gates of the networks whose memory is recorded."""
ONE_WAY = ("tcn", "reservoir", "rnn", "lstm", "gru")
BOTH_WAYS = ("birnn", "bilstm", "bigru", "bilstm-attention")
VARIANTS = ("feedforward", "cnn", *ONE_WAY, *BOTH_WAYS)
SEARCH_SEEDS = 2  # each trial is trained on
ROUNDS = 7
CUE = 26  # the distance of the cue from the answer: two words farther than the gap
CAUSAL_SKILL = 0.5  # (causal - chance) / (perfect - chance) of disambiguation above
SKILL = {
    "feedforward": 0.4, "cnn": 0.5, "tcn": 0.9, "reservoir": 0.3, "rnn": 0.3, "lstm": 0.97, "gru": 0.9,
    "birnn": 0.4, "bilstm": 0.96, "bigru": 0.95, "bilstm-attention": 0.97,
}  # fmt: skip
EQUATIONS = (
    {
        "name": "h",
        "text": "h_t = tanh(b_h)",
        "mathml": '<math display="block"><mrow><msub><mi>h</mi><mi>t</mi></msub><mo>=</mo><mrow><mi>tanh</mi><mo>(</mo>'
        "<msub><mi>b</mi><mi>h</mi></msub><mo>)</mo></mrow></mrow></math>",
        "typst": "h_(t) = tanh (b_(h))",
    },
)


@dataclass(frozen=True)
class World:
    """What is true in the made-up record; keys that are absent take plausible values.

    skill: (task, variant) -> mean skill at the nominal difficulty.
    lost: (task, variant) -> how much more of it there is at the shortest difficulty.
    arriving: (variant, "initial" or "trained") -> log10 of the share of the gradient that arrives at the nominal gap.
    microseconds: cell -> time of a sequence at hidden size 1, with which it grows linearly.
    flops: cell -> likewise. jitter: the most that one timed round is off, as a share.
    noise: the standard deviation of skill over seeds.
    parents: variant -> its parent, in whose study there are transferred runs.
    bases: variant -> the one of which it is another size; hidden, size_rules: where they are not the usual ones.
    unplanned: (task, variant) that the study does not have.
    refusing: variants that refuse sequences longer than trained. diverged: (task, variant, seed) that did.
    failed: (task, variant) -> why that setting failed; it has its first two trials and no replicates.
    """

    skill: Mapping[tuple[str, str], float] = field(default_factory=dict)
    lost: Mapping[tuple[str, str], float] = field(default_factory=dict)
    arriving: Mapping[tuple[str, str], float] = field(default_factory=dict)
    microseconds: Mapping[str, float] = field(default_factory=dict)
    flops: Mapping[str, float] = field(default_factory=dict)
    refusing: tuple[str, ...] = ("feedforward",)
    diverged: tuple[tuple[str, str, int], ...] = (("adding", "rnn", 2),)
    failed: Mapping[tuple[str, str], str] = field(default_factory=dict)
    noise: float = 0.01
    jitter: float = 0.03
    replicates: int = 5
    trials: int = 6
    tasks: tuple[str, ...] = tuple(TASKS)
    variants: tuple[str, ...] = VARIANTS
    costs: bool = True
    parents: Mapping[str, str] = field(default_factory=lambda: {"bilstm-attention": "bilstm"})
    bases: Mapping[str, str] = field(default_factory=dict)
    hidden: Mapping[tuple[str, str], int] = field(default_factory=dict)
    size_rules: Mapping[str, str] = field(default_factory=dict)
    unplanned: tuple[tuple[str, str], ...] = ()

    def variants_of(self, task: str) -> list[str]:
        return [variant for variant in self.variants if (task, variant) not in self.unplanned]

    @property
    def transferred(self) -> dict[str, str]:
        """variant -> its parent, of those that are transferred."""
        return {v: p for v, p in self.parents.items() if v in self.variants and v not in self.bases}

    def skill_of(self, task: str, variant: str) -> float:
        plain = 1.0 if variant in BOTH_WAYS else CAUSAL_SKILL
        usual = plain if task == "disambiguation" else SKILL.get(variant, 0.5)
        return self.skill.get((task, variant), usual)

    def trials_of(self, setting: SettingRecord) -> int:
        return self.trials if setting.failure is None else 2

    def lost_of(self, task: str, variant: str) -> float:
        usual = 0.5 if task != "disambiguation" and variant in ("rnn", "birnn") else 0.0
        return self.lost.get((task, variant), usual)


def fake_study(world: World | None = None, name: str = "claims") -> StudyRecord:
    """The record of a study in that world; the same world gives the same record."""
    world = world or World()
    rng = np.random.default_rng(7)
    settings = [_setting(world, task, variant) for task in world.tasks for variant in world.variants_of(task)]
    return StudyRecord(
        name=name,
        scale="demo",
        experiment_id="1",
        uri="sqlite:///nowhere.db",
        plan={**_plan(world), "name": name},
        provenance=_provenance(),
        settings=tuple(settings),
        trials=tuple(
            run for s in settings for number in range(world.trials_of(s)) for run in _trial(world, s, number, rng)
        ),
        replicates=tuple(run for s in settings for run in _replicates(world, s, rng)),
        costs=tuple(_costs(world, rng)) if world.costs else (),
        transferred=tuple(
            _transferred(run) for s in settings if s.variant in world.transferred for run in _replicates(world, s, rng)
        ),
    )


def _transferred(replicate: RunRecord) -> RunRecord:
    """The replicate's counterpart with the parent's hyperparameters."""
    identity = f"transferred {replicate.identity}"
    return replace(replicate, kind="transferred", identity=identity, run_id=_run_id(identity))


def _plan(world: World) -> dict[str, Any]:
    parents = world.transferred
    return {
        "name": "claims",
        "scale": "demo",
        "question": "Which recurrent network should one use?",
        "baseline": "lstm",
        "tasks": {task: {} for task in world.tasks},
        "variants": {variant: {"model": variant} for variant in world.variants},
        "settings": {task: world.variants_of(task) for task in world.tasks},
        "parents": parents,
        "runs": {
            v: world.trials * SEARCH_SEEDS + (2 if v in parents else 1) * world.replicates for v in world.variants
        },
        "nuisance": {"lr": {"low": 1e-3, "high": 1e-1, "log": True}},
        "fixed": {"optimiser": "adam", "sampler": "tpe", "clip": 1.0, "weight_decay": 0.0},
        "budget": {
            "trials": world.trials, "trials_per_round": world.trials // 2, "search_seeds": SEARCH_SEEDS,
            "replicates": world.replicates, "steps": 1000, "segments": 10, "batch": 32, "parameters": 3000,
            "validation": 256, "test": 1024,
        },
        "solved_at": 0.99,
        "seed": 0,
    }  # fmt: skip


def _provenance() -> dict[str, Any]:
    return {
        "commit": "0123456789abcdef",
        "versions": {"python": "3.11.7", "torch": "2.9.0"},
        "command": "ablate run claims --scale demo",
        "started": "2026-01-02T03:04:05+00:00",
        "wall_seconds": 321.0,
        "cores": 2,
        "workers": 2,
        "device": "cpu (x86_64)",
    }


def _setting(world: World, task: str, variant: str) -> SettingRecord:
    failure = world.failed.get((task, variant))
    difficulty, nominal, _, references = {**TASKS, **TEXTS}[task]
    return SettingRecord(
        run_id=f"parent-{task}-{variant}",
        identity=f"{task}/{variant}",
        task=task,
        task_parameters={difficulty: nominal},
        difficulty=difficulty,
        nominal=nominal,
        references=references,
        loss_references={"chance": 1.0},
        variant=variant,
        model=variant,
        causal=variant in ONE_WAY,
        hidden=world.hidden.get((task, variant), 24),
        parameters=3000,
        equations=EQUATIONS if "rnn" in variant else (),
        parent=world.parents.get(variant),
        size_rule=world.size_rules.get(variant, "3,000 parameters"),
        base=world.bases.get(variant),
        best_trial=1 if failure is None else None,
        failure=failure,
        rule=f"What {task} asks.",
        example=f"a sequence of <{task}>\nand its answer",
    )


def _score(skill: float, setting: SettingRecord) -> float:
    return setting.references["chance"] + skill * (1 - setting.references["chance"])


def _run_id(identity: str) -> str:
    """Thirty-two hexadecimal digits, as MLflow's are."""
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


def _trial(world: World, setting: SettingRecord, number: int, rng: np.random.Generator) -> list[RunRecord]:
    """The trainings of one trial, one for each search seed; a trial that diverges does so on its last seed alone."""
    reached = world.skill_of(setting.task, setting.variant) * (1.0 if number == 1 else rng.uniform(0.3, 0.95))
    lr = float(10 ** rng.uniform(-3, -1))
    proposed_by = "start-up" if number < world.trials // 2 else "tpe"
    usual = "pruned" if number % 6 == 2 else "finished"
    runs = []
    for seed in range(SEARCH_SEEDS):
        is_diverged = number % 6 == 4 and seed == SEARCH_SEEDS - 1
        metrics = {} if is_diverged else {"objective": _score(reached, setting), "final_validation_score": 0.5}
        runs.append(
            RunRecord(
                identity=f"{setting.identity}/trial/{number}/{seed}",
                kind="trial",
                number=number,
                status="diverged" if is_diverged else usual,
                factors={"lr": lr, "clip": 1.0, "weight_decay": 0.0, "seed": float(seed), "proposed_by": proposed_by},
                metrics={"sequences": 32000.0, "seconds": 4.0, "parameters": 3000.0, **metrics},
                setting=setting.identity,
                run_id=_run_id(f"{setting.identity}/trial/{number}/{seed}"),
            )
        )
    return runs


def _replicates(world: World, setting: SettingRecord, rng: np.random.Generator) -> list[RunRecord]:
    seeds = range(world.replicates if setting.failure is None else 0)
    return [_replicate(world, setting, seed, rng) for seed in seeds]


def _replicate(world: World, setting: SettingRecord, seed: int, rng: np.random.Generator) -> RunRecord:
    skill = min(1.0, world.skill_of(setting.task, setting.variant) + world.noise * rng.standard_normal())
    is_diverged = (setting.task, setting.variant, seed) in world.diverged
    progress = [(3200 * k, _score(skill * k / 10, setting)) for k in range(1, 11)]
    history: dict[str, Any] = {"validation_score": tuple(progress[:4] if is_diverged else progress)}
    metrics = {"sequences": 32000.0, "seconds": 4.0, "parameters": 3000.0}
    if not is_diverged:
        gradients = _gradients(world, setting, rng)
        history |= _tested(world, setting, skill) | gradients
        metrics |= {"test_score": _score(skill, setting), "test_loss": 1 - skill, "flops_per_sequence": 2e5}
        metrics |= {name.replace("_", "_at_cue_", 1): dict(curve)[CUE] for name, curve in gradients.items()}
    attends = setting.task in PAIRS and setting.variant in ATTENDING and not is_diverged
    metrics |= _aligned(setting, rng) if attends else {}
    return RunRecord(
        identity=f"{setting.identity}/replicate/{seed}",
        kind="replicate",
        number=seed,
        status="diverged" if is_diverged else "finished",
        factors={"lr": 0.01, "clip": 1.0, "weight_decay": 0.0, "trial": 1.0},
        metrics=metrics,
        history=history,
        setting=setting.identity,
        run_id=_run_id(f"{setting.identity}/{seed}"),
        mechanisms=_mechanisms(world, setting, skill, rng) if not is_diverged else {},
    )


def _mechanisms(world: World, setting: SettingRecord, skill: float, rng: np.random.Generator) -> dict[str, Any]:
    """What a replicate did inside: it has the skill of the future where it reads it, and gates where it has some."""
    mechanisms: dict[str, Any] = {}
    if setting.task in PAIRS and setting.variant in ATTENDING:
        mechanisms["attention"] = _attended(setting, rng)
    if setting.task == "disambiguation":
        mechanisms["reading"] = _reading(0.0 if setting.variant in ONE_WAY else skill)
    if setting.variant in GATES:
        mechanisms["memory"] = _memory(GATES[setting.variant], rng)
    return mechanisms


def _reading(skill: float) -> dict[str, Any]:
    """Teddy, one word, and the cue: the right sense rises by that skill when the cue is read."""
    sentences = [["He", "said", "Teddy", "one", word, "was"] for word in ("bears", "Roosevelt")]
    known = [[[0.5, 0.5, 0.0]] * 2 + [certain] * 2 for certain in ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])]
    probabilities = [
        [[0.5 + skill * (a - 0.5), 0.5 + skill * (b - 0.5), 0.0] if a != b else [a, b, 0.0] for a, b, _ in rows]
        for rows in known
    ]
    return {
        "steps": sentences,
        "asked": 2,
        "answers": ["toy", "person"],
        "classes": ["toy", "person", "place"],
        "known": known,
        "probabilities": probabilities,
    }


def _memory(gates: str, rng: np.random.Generator) -> dict[str, Any]:
    """Two symbols, three blanks and their recall; gates are open for symbols, wider with each gate."""
    roles = ["store"] * 2 + [""] * 3 + ["answer"] * 2
    means = {
        gate: [0.9 if role == "store" else 0.1 * (1 + place) for role in roles] for place, gate in enumerate(gates)
    }
    means["h"] = [-0.5, 0.2, 0.2, 0.2, 0.2, 0.4, 0.4]
    quantities = {
        name: {"mean": mean, "low": [each - 0.1 for each in mean], "high": [each + 0.1 for each in mean]}
        for name, mean in means.items()
    }
    units = rng.uniform(-1, 1, (4, len(roles))).round(2).tolist()
    return {"steps": [*"ba___", ":", "_"], "roles": roles, "quantities": quantities, "state": "h", "units": units}


def _aligned(setting: SettingRecord, rng: np.random.Generator) -> dict[str, float]:
    chance = rng.uniform(0.2, 0.25)
    learnt = {"aligned": rng.uniform(0.8, 1.0), "permuted": rng.uniform(0.3, 0.4)}
    alike = {"aligned": chance, "permuted": rng.uniform(0.1, 0.2)}
    shares = {"chance": chance, **(alike if setting.variant == "bilstm-uniform" else learnt)}
    return {f"attention_{name}": share for name, share in shares.items()}


def _attended(setting: SettingRecord, rng: np.random.Generator) -> dict[str, Any]:
    """Weights of one pair: alike, or drawn."""
    source, answer = PAIRS[setting.task]
    shape = (len(answer) + 1, len(source))
    drawn = rng.dirichlet(np.ones(shape[1]), shape[0])
    weights = np.full(shape, 1 / shape[1]) if setting.variant == "bilstm-uniform" else drawn
    return {"source": source, "answer": answer, "weights": weights.round(3).tolist()}


def _tested(world: World, setting: SettingRecord, skill: float) -> dict[str, Any]:
    grid, nominal, lost = (
        {**TASKS, **TEXTS}[setting.task][2],
        setting.nominal,
        world.lost_of(setting.task, setting.variant),
    )
    scores = {d: _score(skill + lost * (nominal - d) / max(1, nominal - grid[0]), setting) for d in grid}
    refused = [d for d in grid if d > nominal and setting.variant in world.refusing]
    tested = {"test_score_by_difficulty": tuple((d, score) for d, score in scores.items() if d not in refused)}
    if setting.task in PAIRS:
        tested["test_exact_match_by_difficulty"] = tuple(
            (d, score**3 * min(1.0, setting.nominal / d)) for d, score in tested["test_score_by_difficulty"]
        )
    return tested | ({"refused_by_difficulty": tuple((d, 1.0) for d in refused)} if refused else {})


def _gradients(world: World, setting: SettingRecord, rng: np.random.Generator) -> dict[str, Any]:
    if setting.task not in ("adding", "france"):
        return {}
    curves = {}
    for when in ("initial", "trained"):
        usual = {"rnn": -6.0, "lstm": -1.0, "gru": -1.5, "reservoir": -6.0, "tcn": -0.5}.get(setting.variant, 0.0)
        end = world.arriving.get((setting.variant, when), usual) + 0.1 * rng.standard_normal()
        curves[f"gradient_{when}"] = tuple((d, float(10 ** (end * d / setting.nominal))) for d in range(29))
    return curves


def _costs(world: World, rng: np.random.Generator) -> list[RunRecord]:
    microseconds = {"rnn": 2.0, "gru": 5.0, "lstm": 6.0, **world.microseconds}
    flops = {"rnn": 1e4, "gru": 3e4, "lstm": 4e4, **world.flops}
    points = [
        (view, row, cell)
        for view in ("equal hidden size", "equal parameters")
        for row in (16, 32, 64, 128)
        for cell in ("rnn", "gru", "lstm")
    ]
    return [
        RunRecord(
            identity=f"cost/{number}",
            kind="cost",
            number=number,
            status="finished",
            factors={"cell": cell, "view": view, "row": float(row), "hidden": float(row)},
            metrics={"parameters": 4.0 * row * row, "flops_per_sequence": flops[cell] * row},
            history={
                "seconds_per_sequence": tuple(
                    (k, float(1e-6 * microseconds[cell] * row * rng.uniform(1 - world.jitter, 1 + world.jitter)))
                    for k in range(ROUNDS)
                )
            },
            run_id=_run_id(f"cost/{number}"),
        )
        for number, (view, row, cell) in enumerate(points)
    ]
