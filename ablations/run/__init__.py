"""Carrying out a plan: scheduler, executors, checkpoints, progress."""
