"""The threads of a process that trains: one. Several processes share the cores, and several threads change the numbers."""

import torch
from threadpoolctl import threadpool_limits


def use_one_thread() -> None:
    """Lets torch and NumPy's BLAS compute in one thread from now on."""
    torch.set_num_threads(1)
    threadpool_limits(1, user_api="blas")
