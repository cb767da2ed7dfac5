"""What a capable user would write for the same study today: Optuna, MLflow and torch.nn, one run after the other.

python -m benchmarks.user_script STUDY FOLDER PROCESSES: with one process torch has its default threads; several share the
trials, with one thread each. STUDY is a module of benchmarks that has a study of recurrent networks at demo scale.
"""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path

import mlflow
import numpy as np
import optuna
import torch
from torch import Tensor, nn

from ablations.study import Plan, Range, Setting
from benchmarks.work import PEERS
from tasks import Batch, Task

EMBEDDING = 16
Report = Callable[[int, dict[str, float]], None]


class Net(nn.Module):
    """Embedding, recurrent layer, and a readout of each step, or of the state at the end of each sequence."""

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        spec = setting.task.spec
        size = EMBEDDING if spec.vocabulary else spec.features
        self.per_step = spec.per_step
        self.embedding = nn.Embedding(spec.vocabulary, size) if spec.vocabulary else nn.Identity()
        self.recurrent = PEERS[setting.variant.name](size, setting.size, batch_first=True)
        self.readout = nn.Linear(setting.size, spec.outputs)

    def forward(self, batch: Batch) -> Tensor:
        states, _ = self.recurrent(self.embedding(batch.inputs))
        return self.readout(states if self.per_step else states[torch.arange(len(states)), batch.mask.sum(1) - 1])


@torch.no_grad()
def evaluate(net: Net, task: Task, batch: Batch) -> tuple[float, float]:
    """Score and loss."""
    outputs = net(batch)
    return task.score(outputs, batch).item(), task.loss(outputs, batch).item()


def train(plan: Plan, setting: Setting, lr: float, seed: int, report: Report) -> Net:
    """Trains from a seed, and reports after each segment."""
    torch.manual_seed(seed)
    net, task, budget = Net(setting), setting.task, plan.budget
    optimiser = torch.optim.Adam(net.parameters(), lr)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, budget.steps)
    mixture, rng, fresh = task.mixture(), np.random.default_rng(seed), np.random.default_rng(10**6 + seed)
    nominal, mixed = (kind.sample(fresh, budget.validation) for kind in (task.at(task.nominal), mixture))
    segment, total = budget.steps // budget.segments, torch.zeros(())
    for step in range(1, budget.steps + 1):
        batch = mixture.sample(rng, budget.batch)
        loss = task.loss(net(batch), batch)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), float(plan.fixed["clip"] or 0))
        optimiser.step()
        schedule.step()
        total += loss.detach()
        if step % segment == 0:
            score, validation_loss = evaluate(net, task, nominal)
            mixed_score, _ = evaluate(net, task, mixed)
            metrics = {"score": score, "loss": validation_loss, "mixed_score": mixed_score}
            report(step // segment, {**metrics, "train_loss": total.item() / segment})
            total.zero_()
    return net


@contextmanager
def tracked(folder: Path, setting: str, kind: str, number: int, lr: float) -> Iterator[Report]:
    """An MLflow run, and what reports to it."""
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.set_experiment("comparison")
    with mlflow.start_run(run_name=f"{setting}-{kind}-{number}"):
        mlflow.log_params({"setting": setting, "kind": kind, "lr": lr})

        def report(segment: int, metrics: dict[str, float]) -> None:
            mlflow.log_metrics(metrics, step=segment)

        yield report


def objective(plan: Plan, folder: Path, setting: Setting, trial: optuna.Trial) -> float:
    """A trial, trained on each search seed."""
    space = plan.nuisance["lr"]
    assert isinstance(space, Range)
    lr = trial.suggest_float("lr", space.low, space.high, log=space.log)
    scores: list[float] = []
    for seed in range(plan.budget.search_seeds):
        with tracked(folder, setting.name, "trial", trial.number, lr) as log:

            def report(segment: int, metrics: dict[str, float], seed: int = seed, log: Report = log) -> None:
                log(segment, metrics)
                scores.append(metrics["mixed_score"])
                if seed == 0:
                    trial.report(metrics["mixed_score"], segment)
                    if trial.should_prune():
                        raise optuna.TrialPruned

            train(plan, setting, lr, seed, report)
    return float(np.mean(scores[plan.budget.segments - 1 :: plan.budget.segments]))


def search(plan: Plan, folder: Path, setting: Setting) -> optuna.Study:
    """The search of one setting, which processes share."""
    return optuna.create_study(
        storage=f"sqlite:///{folder}/optuna.db",
        study_name=setting.name,
        direction="maximize",
        load_if_exists=True,
        sampler=optuna.samplers.TPESampler(),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=plan.budget.trials),
    )


def run_trial(plan: Plan, folder: Path, setting: Setting) -> None:
    """Asks for one trial and trains it."""
    search(plan, folder, setting).optimize(partial(objective, plan, folder, setting), n_trials=1)


def run_replicate(plan: Plan, folder: Path, setting: Setting, number: int) -> None:
    """Trains the best trial from a fresh seed, and tests it at each difficulty."""
    lr, task = search(plan, folder, setting).best_params["lr"], setting.task
    with tracked(folder, setting.name, "replicate", number, lr) as log:
        net = train(plan, setting, lr, 100 + number, log)
        rng = np.random.default_rng(2 * 10**6 + number)
        for difficulty in task.grid():
            score, loss = evaluate(net, task, task.at(difficulty).sample(rng, plan.budget.test))
            mlflow.log_metrics({"test_score": score, "test_loss": loss}, step=difficulty)


def main(study: str, folder: Path, processes: int) -> None:
    plan = import_module(f"benchmarks.{study}").STUDY.at("demo")
    for setting in plan.settings:
        search(plan, folder, setting)
    with tracked(folder, "none", "opening", 0, 0.0):  # makes the store, which two processes must not do at once
        pass
    trials = [partial(run_trial, plan, folder, each) for each in plan.settings for _ in range(plan.budget.trials)]
    replicates = [
        partial(run_replicate, plan, folder, each, number)
        for each in plan.settings
        for number in range(plan.budget.replicates)
    ]
    if processes == 1:
        for job in (*trials, *replicates):
            job()
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), torch.set_num_threads, (1,)) as pool:
        for jobs in (trials, replicates):
            for done in [pool.submit(job) for job in jobs]:
                done.result()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
