"""What a capable user would write for the same study today: Optuna, MLflow and torch.nn, one run after the other.

python -m benchmarks.user_script FOLDER PROCESSES: with one process torch has its default threads; several share the
trials, with one thread each.
"""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import mlflow
import numpy as np
import optuna
import torch
from torch import Tensor, nn

from benchmarks.comparison_study import BUDGET, STUDY
from tasks import Batch, Task

LAYERS = {"lstm": nn.LSTM, "gru": nn.GRU}
HIDDEN = {setting.variant.name: setting.size for setting in STUDY.at("demo").settings}
TASK: Task = STUDY.scales["demo"].tasks["adding"]
LR, CLIP = STUDY.nuisance["lr"], STUDY.fixed["clip"]
Report = Callable[[int, dict[str, float]], None]


class Net(nn.Module):
    """A recurrent layer, and a readout of the state at the end of each sequence."""

    def __init__(self, cell: str) -> None:
        super().__init__()
        self.recurrent = LAYERS[cell](TASK.spec.features, HIDDEN[cell], batch_first=True)
        self.readout = nn.Linear(HIDDEN[cell], TASK.spec.outputs)

    def forward(self, batch: Batch) -> Tensor:
        states, _ = self.recurrent(batch.inputs)
        return self.readout(states[torch.arange(len(states)), batch.mask.sum(1) - 1])


@torch.no_grad()
def evaluate(net: Net, batch: Batch) -> tuple[float, float]:
    """Score and loss."""
    outputs = net(batch)
    return TASK.score(outputs, batch).item(), TASK.loss(outputs, batch).item()


def train(cell: str, lr: float, seed: int, report: Report) -> Net:
    """Trains from a seed, and reports after each segment."""
    torch.manual_seed(seed)
    net = Net(cell)
    optimiser = torch.optim.Adam(net.parameters(), lr)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, BUDGET.steps)
    mixture, rng, fresh = TASK.mixture(), np.random.default_rng(seed), np.random.default_rng(10**6 + seed)
    nominal, mixed = (task.sample(fresh, BUDGET.validation) for task in (TASK, mixture))
    segment, total = BUDGET.steps // BUDGET.segments, torch.zeros(())
    for step in range(1, BUDGET.steps + 1):
        batch = mixture.sample(rng, BUDGET.batch)
        loss = TASK.loss(net(batch), batch)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        optimiser.step()
        schedule.step()
        total += loss.detach()
        if step % segment == 0:
            score, validation_loss = evaluate(net, nominal)
            mixed_score, _ = evaluate(net, mixed)
            found = {"score": score, "loss": validation_loss, "mixed_score": mixed_score}
            report(step // segment, {**found, "train_loss": total.item() / segment})
            total.zero_()
    return net


@contextmanager
def tracked(folder: Path, cell: str, kind: str, number: int, lr: float) -> Iterator[Report]:
    """An MLflow run, and what reports to it."""
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.set_experiment("comparison")
    with mlflow.start_run(run_name=f"{cell}-{kind}-{number}"):
        mlflow.log_params({"cell": cell, "kind": kind, "lr": lr})

        def report(segment: int, found: dict[str, float]) -> None:
            mlflow.log_metrics(found, step=segment)

        yield report


def objective(folder: Path, cell: str, trial: optuna.Trial) -> float:
    """One run of the search."""
    lr = trial.suggest_float("lr", LR.low, LR.high, log=LR.log)
    scores: list[float] = []
    with tracked(folder, cell, "trial", trial.number, lr) as log:

        def report(segment: int, found: dict[str, float]) -> None:
            log(segment, found)
            scores.append(found["mixed_score"])
            trial.report(found["mixed_score"], segment)
            if trial.should_prune():
                raise optuna.TrialPruned

        train(cell, lr, 0, report)
    return scores[-1]


def search(folder: Path, cell: str) -> optuna.Study:
    """The search of one cell, which processes share."""
    return optuna.create_study(
        storage=f"sqlite:///{folder}/optuna.db",
        study_name=cell,
        direction="maximize",
        load_if_exists=True,
        sampler=optuna.samplers.TPESampler(),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=BUDGET.trials),
    )


def run_trial(folder: Path, cell: str) -> None:
    """Asks for one trial and trains it."""
    search(folder, cell).optimize(partial(objective, folder, cell), n_trials=1)


def run_replicate(folder: Path, cell: str, number: int) -> None:
    """Trains the best trial from a fresh seed, and tests it at each difficulty."""
    lr = search(folder, cell).best_params["lr"]
    with tracked(folder, cell, "replicate", number, lr) as log:
        net = train(cell, lr, 100 + number, log)
        rng = np.random.default_rng(2 * 10**6 + number)
        for difficulty in TASK.grid():
            score, loss = evaluate(net, TASK.at(difficulty).sample(rng, BUDGET.test))
            mlflow.log_metrics({"test_score": score, "test_loss": loss}, step=difficulty)


def main(folder: Path, processes: int) -> None:
    for cell in LAYERS:
        search(folder, cell)
    with tracked(folder, "none", "opening", 0, 0.0):  # makes the store, which two processes must not do at once
        pass
    trials = [partial(run_trial, folder, cell) for cell in LAYERS for _ in range(BUDGET.trials)]
    replicates = [partial(run_replicate, folder, cell, n) for cell in LAYERS for n in range(BUDGET.replicates)]
    if processes == 1:
        for job in (*trials, *replicates):
            job()
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), torch.set_num_threads, (1,)) as pool:
        for jobs in (trials, replicates):
            for done in [pool.submit(job) for job in jobs]:
                done.result()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
