"""What several test files build their cases with."""
