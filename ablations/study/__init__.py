"""What is asked: a study, its search space and budgets, and the plan that it makes at one scale."""

from ablations.study.budget import Budget, Costs, Scale
from ablations.study.plan import Plan, Setting
from ablations.study.space import Range
from ablations.study.study import Study

__all__ = ["Budget", "Costs", "Plan", "Range", "Scale", "Setting", "Study"]
