"""What is asked: a study, its search space and budgets, and the plan that it makes at one scale."""

from ablations.models.variant import Variant
from ablations.models.variants import VARIANTS
from ablations.study.budget import Budget, Costs, Scale
from ablations.study.plan import Plan
from ablations.study.setting import Setting
from ablations.study.space import Choice, Range
from ablations.study.study import Study

__all__ = ["VARIANTS", "Budget", "Choice", "Costs", "Plan", "Range", "Scale", "Setting", "Study", "Variant"]
