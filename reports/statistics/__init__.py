"""Small pure functions from runs to intervals, p-values, words, ranks and power. Arrays end in the axis of the runs.

Legend: S simulated studies (1 for a real one), n runs of one sample, K tasks, m comparisons, V variants.
"""
