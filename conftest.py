"""What pytest leaves out: the doctests of a module whose package belongs to an extra that is not installed."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("ray") else ["ablations/run/ray_executor.py"]
