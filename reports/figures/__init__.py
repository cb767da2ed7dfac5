"""The report's figures, one per file."""

from reports.figures.ablation_forest import ABLATION_FOREST
from reports.figures.base import FigureKind
from reports.figures.cost_growth import COST_GROWTH
from reports.figures.cost_skill import COST_SKILL
from reports.figures.difficulty import DIFFICULTY
from reports.figures.gates import GATES_AND_MEMORY
from reports.figures.gradient_flow import GRADIENT_FLOW
from reports.figures.importance import IMPORTANCE
from reports.figures.learning_curves import LEARNING_CURVES
from reports.figures.performance_profile import PERFORMANCE_PROFILE
from reports.figures.score_matrix import SCORE_MATRIX
from reports.figures.search import SEARCH
from reports.figures.survival import SURVIVAL
from reports.figures.word_by_word import WORD_BY_WORD

FIGURES: dict[str, FigureKind] = {
    "ablation_forest": ABLATION_FOREST,
    "score_matrix": SCORE_MATRIX,
    "performance_profile": PERFORMANCE_PROFILE,
    "learning_curves": LEARNING_CURVES,
    "survival": SURVIVAL,
    "difficulty": DIFFICULTY,
    "word_by_word": WORD_BY_WORD,
    "gates": GATES_AND_MEMORY,
    "gradient_flow": GRADIENT_FLOW,
    "cost_skill": COST_SKILL,
    "cost_growth": COST_GROWTH,
    "search": SEARCH,
    "importance": IMPORTANCE,
}
"""Every figure by name, in the order of the report."""

__all__ = ["FIGURES", "FigureKind"]
