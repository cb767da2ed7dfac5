"""What is a user's own is tried out before anything is trained: whatever is wrong is one clear line."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from builders.tasks import of_difficulty
from torch import Tensor, nn

from ablations.errors import UserError
from ablations.models import MODELS, Network
from ablations.models.network import last
from ablations.models.variant import Variant
from ablations.study.chance_check import wrong_chance
from ablations.study.model_check import check_model
from ablations.study.plan_check import check_plan
from ablations.study.study import Study
from ablations.study.task_check import check_task
from tasks import TASKS, Batch, DataError, TaskSpec
from tasks.adding import Adding
from tasks.copying import Copying
from tasks.dates import Dates
from tasks.word_problem import Parity


@dataclass(frozen=True, kw_only=True)
class NoPerfect(Adding):
    def references(self) -> dict[str, float]:
        return {"chance": 0.1}


@dataclass(frozen=True, kw_only=True)
class Generous(Adding):
    def score(self, outputs: Tensor, batch: Batch) -> Tensor:
        return super().score(outputs, batch) * 2


@dataclass(frozen=True, kw_only=True)
class Strict(Adding):
    def score(self, outputs: Tensor, batch: Batch) -> Tensor:
        return super().score(outputs, batch) * 0.9


@dataclass(frozen=True, kw_only=True)
class Deaf(Adding):
    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        return super().sample(np.random.default_rng(3), n)


@dataclass(frozen=True, kw_only=True)
class HalfDeaf(Adding):
    """Of the rng it takes the lengths alone."""

    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        lengths = self.draw_difficulties(rng, n)
        mask = torch.arange(int(lengths.max())) < torch.from_numpy(lengths)[:, None]
        batch = TASKS["adding"](length=mask.shape[1]).sample(np.random.default_rng(3), n)
        inputs = batch.inputs * mask[:, :, None]
        return Batch(inputs, (inputs[:, :, 0] * inputs[:, :, 1]).sum(1), mask)


@dataclass(frozen=True, kw_only=True)
class Greedy(Adding):
    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        batch = super().sample(rng, n)
        return batch._replace(targets=batch.targets + torch.rand(n))


@dataclass(frozen=True, kw_only=True)
class Forgetful(Adding):
    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        return super().sample(np.random.default_rng(), n)


@dataclass(frozen=True, kw_only=True)
class Stingy(Adding):
    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        return super().sample(rng, max(1, n - 1))


@dataclass(frozen=True, kw_only=True)
class Beyond(Parity):
    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        batch = super().sample(rng, n)
        return batch._replace(targets=torch.where(batch.targets == 1, 2, batch.targets))


@dataclass(frozen=True, kw_only=True)
class Empty(Adding):
    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        batch = super().sample(rng, n)
        return batch._replace(mask=torch.zeros_like(batch.mask))


@dataclass(frozen=True, kw_only=True)
class Broken(Adding):
    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        raise KeyError("mine")


@dataclass(frozen=True, kw_only=True)
class Lucky(Adding):
    def references(self) -> dict[str, float]:
        return {"chance": 1.0, "perfect": 1.0}


@dataclass(frozen=True, kw_only=True)
class Modest(Parity):
    """Its chance is below that of a coin, so that a network that has learnt nothing has some skill."""

    def references(self) -> dict[str, float]:
        return {"chance": 0.2, "perfect": 1.0}


@dataclass(frozen=True, kw_only=True)
class Uneven(Parity):
    """Three of four answers are the same: who always gives that one is right in three of four."""

    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        batch = super().sample(rng, n)
        return batch._replace(targets=torch.from_numpy(1 * (rng.random(batch.targets.shape) < 0.25)))


@dataclass(frozen=True, kw_only=True)
class Gloomy(Parity):
    def loss_references(self) -> dict[str, float]:
        return {"chance": 5.0}


@dataclass(frozen=True, kw_only=True)
class Off(Adding):
    """The best constant answer is a sum of 1, not the score of an answer that nobody gives."""

    def references(self) -> dict[str, float]:
        return {"chance": 0.01, "perfect": 1.0}


@dataclass(frozen=True, kw_only=True)
class Loose(Adding):
    def loss_references(self) -> dict[str, float]:
        return {"chance": 0.5}


@dataclass(frozen=True, kw_only=True)
class Unwritten(Dates):
    def references(self) -> dict[str, float]:
        return {"chance": 1 / self.spec.outputs, "perfect": 1.0}


WRONG_TASKS = {
    NoPerfect: "has references() without 'perfect', the score of who knows all",
    Generous: "has a score of 2; a score is between 0 and 1",
    Strict: "scores the right answers 0.9, below its perfect 1",
    Deaf: "gives the same sequences whatever the rng: sample() ignores it",
    HalfDeaf: "gives the same sequences whatever the rng: sample() ignores it",
    Greedy: "draws from a global random stream in sample()",
    Forgetful: "gives other sequences for an equal rng",
    Stingy: "gives 6 sequences where 7 are asked for",
    Beyond: "gives a target outside its classes 0 to 1",
    Empty: "gives a mask that selects no step of a sequence",
    Broken: "fails: ",
    Lucky: "has a chance of 1, which is not below its perfect 1",
    Modest: "has a chance of 0.2, but always answering class ",
    Uneven: "has a chance of 0.5, but always answering class 0 scores 0.7",
    Gloomy: "has loss_references() whose 'chance' is 5, but giving each class ",
    Off: "has a chance of 0.01, but always answering ",
    Loose: "has loss_references() whose 'chance' is 0.5, but always answering 1.01 loses 0.1",
}


@pytest.mark.parametrize(("kind", "complaint"), WRONG_TASKS.items(), ids=lambda each: getattr(each, "__name__", ""))
def test_a_task_that_promises_wrongly_is_one_clear_line(kind: Any, complaint: str) -> None:
    with pytest.raises(UserError, match=re.escape(f"the task 'own' {complaint}")) as told:
        check_task("own", kind(length=5))
    assert "\n" not in str(told.value)


@dataclass(frozen=True, kw_only=True)
class Bounded(Adding):
    """It says in words which lengths it can have, and not in the attributes that are for this."""

    least: int = 3
    most: int = 8

    def __post_init__(self) -> None:
        if not self.least <= self.length <= self.most:
            raise ValueError(f"needs {self.least} <= length <= {self.most}, got {self.length}")


@dataclass(frozen=True, kw_only=True)
class Unmixed(Adding):
    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        if self.shortest and self.shortest < 3:
            raise ValueError("too short")
        return super().sample(rng, n)


@pytest.mark.parametrize(
    ("task", "advice"),
    [
        (
            Bounded(length=6, most=20),
            "got 2; it is made at length 2, the easiest, too: set `min_difficulty: ClassVar[int]`",
        ),
        (Unmixed(length=6), "too short; it is made at length 2, the easiest, too: set `min_difficulty: ClassVar[int]`"),
        (Bounded(length=6, least=2), "got 9; it is made at length 9 too, to be tested: set `max_difficulty: ClassVar"),
        (Bounded(length=20, least=10, most=99), "got 2; it is made at length 2, the easiest"),
    ],
)
def test_a_task_that_fails_at_a_difficulty_that_nobody_gave_says_what_to_set(task: Adding, advice: str) -> None:
    with pytest.raises(UserError, match=re.escape(advice)) as told:
        check_task("own", task)
    assert "\n" not in str(told.value)


def test_a_task_that_says_its_easiest_and_hardest_form_is_not_made_beyond_them() -> None:
    limits = {"min_difficulty": 3, "max_difficulty": 8, "__module__": __name__}
    check_task("own", dataclass(frozen=True, kw_only=True)(type("Limited", (Bounded,), limits))(length=6))


def test_the_chance_of_written_answers_is_that_of_the_most_frequent_symbols() -> None:
    with pytest.raises(UserError, match=r"always answering the most frequent symbol of each place scores 0\.5"):
        check_task("own", Unwritten(languages=5))


@pytest.mark.parametrize("name", TASKS)
def test_no_constant_answer_beats_the_chance_of_a_built_in_task(name: str) -> None:
    try:
        assert wrong_chance(TASKS[name]()) is None
    except DataError:
        pytest.skip("its data are not there")


def test_a_chance_is_checked_alike_each_time_and_in_the_presence_of_other_random_numbers() -> None:
    first = wrong_chance(Modest(length=5))
    torch.rand(3)
    assert first == wrong_chance(Modest(length=5))


def test_a_chance_that_is_better_than_any_constant_answer_is_the_authors_to_know() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Informed(Parity):
        def references(self) -> dict[str, float]:
            return {"chance": 0.7, "perfect": 1.0}

    assert wrong_chance(Informed(length=5)) is None


def test_an_error_in_a_task_names_its_line() -> None:
    with pytest.raises(UserError, match=r"test_own_checks\.py, line \d+: KeyError: 'mine'"):
        check_task("own", Broken(length=5))


@pytest.mark.parametrize("name", TASKS)
def test_every_built_in_task_keeps_what_it_promises(name: str) -> None:
    try:
        check_task(name, of_difficulty(name, 3))
    except DataError:
        pytest.skip("its data are not there")


class Sound(Network):
    """A layer that reads from left to right, in a way that a flag spoils."""

    causal = True

    def __init__(self, spec: TaskSpec, size: int, how: str = "") -> None:
        super().__init__(spec)
        self.how = how
        size = 5 if how == "sizeless" else size
        self.layer = nn.Linear(self.encoder.size, size)
        self.head = nn.Linear(size, spec.outputs)
        if how == "unbuilt":
            raise RuntimeError("no")

    def forward_encoded(self, x: Tensor, mask: Tensor | None) -> Tensor:
        states = torch.tanh(self.layer(x)).cumsum(1)
        if self.how == "acausal":
            states = states - states.mean(1, keepdim=True)
        if self.how == "noisy":
            states = states + torch.randn_like(states)
        if self.how == "broken":
            states = states @ x
        outputs = self.head(states)
        outputs = outputs.detach() if self.how == "detached" else outputs
        if self.how == "shape":
            return outputs[:, :1]
        if self.how == "once":
            return last(outputs, mask)
        return outputs if self.spec.per_step else last(outputs, mask)


class Silent(Sound):
    """It does not say whether it is causal."""


del Sound.causal
Saying = type("Saying", (Sound,), {"causal": True, "__doc__": "It says so.", "__module__": __name__})

WRONG_MODELS = {
    "sizeless": "has 21 parameters at hidden size 4 and at 8: it ignores its size",
    "unbuilt": "RuntimeError: no",
    "acausal": "says that it is causal, but its outputs change where only later inputs have changed",
    "noisy": "is not the same at each call in evaluation: let noise depend on self.training",
    "broken": r"on the task 'own'",
    "detached": "gives outputs that no trained parameter has a part in",
    "shape": "gives outputs of shape (4, 1, 1), and not (4, 1)",
}


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODELS, "saying", Saying)
    monkeypatch.setitem(MODELS, "silent", Silent)


@pytest.mark.parametrize(("how", "complaint"), WRONG_MODELS.items(), ids=WRONG_MODELS)
def test_a_model_that_is_not_what_it_says_is_one_clear_line(how: str, complaint: str) -> None:
    with pytest.raises(UserError, match=re.escape(complaint)) as told:
        check_model(Variant("own", "saying", {"how": how}), "own", Adding(length=6), 200)
    assert "\n" not in str(told.value)
    assert "the model 'saying'" in str(told.value)


@pytest.mark.parametrize("how", ["unbuilt", "broken"])
def test_an_error_in_a_model_names_its_file_and_line(how: str) -> None:
    with pytest.raises(UserError, match=r"test_own_checks\.py, line \d+: RuntimeError"):
        check_model(Variant("own", "saying", {"how": how}), "own", Adding(length=6), 200)


def test_a_model_that_does_not_say_whether_it_is_causal_is_asked() -> None:
    with pytest.raises(UserError, match="does not say whether it is causal"):
        check_model(Variant("own", "silent"), "own", Adding(length=6), 200)


@pytest.mark.parametrize("task", [Adding(length=6), Copying(delay=2, items=2)], ids=lambda task: type(task).__name__)
def test_a_model_that_is_what_it_says_passes(task: Any) -> None:
    check_model(Variant("own", "saying"), "own", task, 200)


def test_a_model_that_answers_once_whatever_it_is_asked_passes_where_it_is_asked_once() -> None:
    check_model(Variant("own", "saying", {"how": "once"}), "own", Adding(length=6), 200)


@pytest.mark.parametrize("name", [name for name in MODELS if name not in ("feedforward", "bag-of-words")])
def test_every_built_in_model_is_what_it_says(name: str) -> None:
    check_model(Variant("own", name), "own", of_difficulty("adding", 6), 400)


def test_of_a_plan_only_what_is_its_own_is_tried(study: Study, changed: Callable[..., Study]) -> None:
    scale = study.scales["smoke"]
    check_plan(study.at("smoke"))
    with_task = replace(scale, tasks={**scale.tasks, "mine": Deaf(length=4)})
    with pytest.raises(UserError, match="the task 'mine' gives the same sequences"):
        check_plan(changed(study, scales={"smoke": with_task}).at("smoke"))
    with_model = changed(study, variants=(*study.variants, Variant("own", "saying", {"how": "acausal"})))
    with pytest.raises(UserError, match="says that it is causal"):
        check_plan(with_model.at("smoke"))
