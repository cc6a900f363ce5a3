"""How many threads one prediction uses inside the libraries of linear algebra and of trees.

One, unless somebody says more: waking others costs more than a few rows do, and where predictions of several models or
replicas share the cores, the teams of OpenMP wait for each other (hundreds of times slower, measured).
"""

import os
from typing import Any

_VARIABLE = "OMP_NUM_THREADS"
_OTHERS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")


def announce(threads: int | None) -> None:
    """Into the environment, where libraries look when they are loaded: before NumPy is. What is set there stays."""
    if threads is not None:
        os.environ[_VARIABLE] = str(threads)
    count = os.environ.setdefault(_VARIABLE, "1")
    for name in _OTHERS:
        os.environ.setdefault(name, count)


def thread_count() -> int:
    """As announced."""
    text = os.environ.get(_VARIABLE, "")
    return int(text) if text.isdigit() and int(text) else 1


def pin(model: Any) -> None:
    """For models that remember a number of their own (`n_jobs` of where they were trained). No answer changes by it."""
    if not hasattr(model, "get_params") or not hasattr(model, "set_params"):
        return
    names = [name for name in model.get_params() if name == "n_jobs" or name.endswith("__n_jobs")]
    if names:
        model.set_params(**dict.fromkeys(names, thread_count()))
