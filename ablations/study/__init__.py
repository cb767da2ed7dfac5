"""What is asked: a study, its factors, budgets and settings."""

from ablations.study.study import Budget, Costs, Range, Scale, Setting, Study

__all__ = ["Budget", "Costs", "Range", "Scale", "Setting", "Study"]
