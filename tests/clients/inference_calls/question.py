"""What is asked of a model of columns a, b and c, which answers a + 10 b + 100 c as FP64."""

import sys
from typing import Any

import numpy as np

ROWS = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [0.5, 0.0, 0.0]])
EXPECTED = [321.0, 654.0, 0.5]


def check(way: str, answer: Any) -> None:
    """One line for a way that answered right; raises for one that did not."""
    assert np.asarray(answer).ravel().tolist() == EXPECTED, (way, answer)
    sys.stdout.write(f"done {way}\n")
