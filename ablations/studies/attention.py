"""What reading in both directions and attention add in translation and in sentiment analysis."""

from dataclasses import replace

from ablations.models.variants import VARIANTS
from ablations.studies.claims import DEMO, ON_TEXTS, PAPER, RELEASE_SEED, SMOKE, STANDARD
from ablations.study import Range, Scale, Study
from tasks.dates import Dates
from tasks.numbers import Numbers
from tasks.reviews import Reviews
from tasks.sentiment import Sentiment

# Of the reviews, most parameters are in the vectors of their words.
SCALES = {
    "smoke": Scale(tasks={"dates": Dates(languages=1), "sentiment": Sentiment(distance=1)}, budget=SMOKE.budget),
    "demo": Scale(
        tasks={"dates": Dates(languages=3), "numbers": Numbers(digits=4), "sentiment": Sentiment(distance=3)},
        budget=replace(DEMO.budget, test=512),
    ),
    "standard": Scale(
        tasks={
            "dates": Dates(languages=5),
            "numbers": Numbers(digits=5),
            "sentiment": Sentiment(distance=6),
            "reviews": Reviews(words=500),
        },
        budget=replace(STANDARD.budget, parameters=20_000),
    ),
    "paper": Scale(
        tasks={
            "dates": Dates(languages=10),
            "numbers": Numbers(digits=6),
            "sentiment": Sentiment(distance=20),
            "reviews": Reviews(words=2000),
        },
        budget=replace(PAPER.budget, parameters=60_000),
    ),
}

STUDY = Study(
    name="attention",
    question="What do both directions and attention add in translation and in sentiment analysis, and is it the choosing?",
    variants=tuple(VARIANTS[name] for name in ON_TEXTS),
    baseline="bilstm",
    nuisance={"lr": Range(1e-3, 1e-1)},
    scales=SCALES,
    seed=RELEASE_SEED,
)
