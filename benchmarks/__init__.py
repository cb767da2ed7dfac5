"""What the suite costs beside what it is measured against: `python -m benchmarks`, from the repository root."""
