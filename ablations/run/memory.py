"""The memory of a cohort's training, and how many runs may be trained side by side within a limit.

The limit is the same on every machine, or given by the user: what a job holds is decided by the plan, never by what a
machine has free, or by a worker that died. A run's numbers do not depend on the runs beside it, but for rounding: one step
agrees to 1e-6.

R runs, P parameters of each, n sequences of each run, T steps.
"""

from ablations.checks import is_number
from ablations.errors import UserError
from ablations.models.sizes import count_parameters
from ablations.study import Budget, Plan, Setting
from ablations.train.batches import CHUNK
from ablations.train.cohort import Cohort, run_of
from ablations.train.segment import PIECE

GIGA = 10**9
COHORT_MEMORY = 4.0
"""Gigabytes of a job at most, unless the user says otherwise. No built-in study needs as much at a scale below paper."""

COPIES = 8
"""Of the parameters: as they are, their gradient, two moments, and what an update and a checkpoint copy."""
KEPT = 3
"""Numbers that are kept of each output of a product until the step is over: itself, what backward recalls, its gradient."""
NUMBER = 4
"""Bytes of a float32."""


def run_memory(setting: Setting, budget: Budget) -> int:
    """About the bytes that each run adds to its cohort's memory: parameters, one batch's activations, and data.

    Data are drawn for `CHUNK` steps at once; a test reads in pieces of `PIECE`, from sequences that are all drawn before.
    """
    spec = setting.task.spec
    network = setting.network
    outputs = sum(weight.shape[0] for weight in network.parameters() if weight.dim() > 1)
    attends = network.decoder is not None and network.decoder.attend is not None
    steps = spec.length + spec.symbols
    pairs = spec.length * spec.symbols * attends  # an energy and a weight for each; the compiled energies keep no more
    widest = max(budget.batch * KEPT, PIECE)  # an evaluation keeps nothing for backward
    numbers = widest * (steps * outputs + pairs) + COPIES * count_parameters(setting.variant, spec, setting.size)
    drawn = max(CHUNK * budget.batch, budget.test, 2 * budget.validation) * spec.length
    return NUMBER * numbers + drawn * (NUMBER * max(1, spec.features) + NUMBER + 1)


def most_runs(setting: Setting, budget: Budget, gigabytes: float = COHORT_MEMORY) -> int:
    """How many runs of a setting may be trained side by side. Raises `UserError` where not even one has room."""
    needed = run_memory(setting, budget)
    if needed > gigabytes * GIGA:
        raise UserError(
            f"{setting.name} needs {_about(needed)} GB of memory for one run; a job may take {gigabytes:g} GB "
            "(--cohort-memory)"
        )
    return int(gigabytes * GIGA // needed)


def _about(needed: int) -> str:
    return f"about {needed / GIGA:,.1f}" if needed < GIGA**2 else "more than a billion"


def check_memory(plan: Plan, gigabytes: float) -> None:
    """Raises `UserError` where a run of a plan has no room: before anything is trained."""
    if not is_number(gigabytes):
        raise UserError(f"--cohort-memory is a finite number of GB above 0, not {gigabytes}")
    for setting in plan.settings:
        largest = run_of("replicate", 0, 0, plan.largest_of(setting))
        (cohort,) = Cohort(setting, plan.budget, plan.optimiser, plan.seed, (largest,)).shapes
        most_runs(cohort.setting, cohort.budget, gigabytes)
