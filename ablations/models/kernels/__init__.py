"""Compiled recurrence: kernels for whole sequences and many runs, written from a cell's equations. See README.md."""
