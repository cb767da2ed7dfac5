"""Training and measuring, as pure functions: no tracker, tuner or process."""
