"""How PyTorch's threads wait for each other on a processor that others use too."""

from __future__ import annotations

import os

SPINS = "3000"
"""How often a waiting thread looks before it sleeps; some 0.1 ms on today's processors."""


def wait_patiently() -> None:
    """Let waiting threads sleep soon instead of spinning. Must come before PyTorch is imported.

    GNU's OpenMP spins for milliseconds by default. On two cores with one other busy program that
    made a step of a small net 4 to 7 times slower than sleeping does (235 … 450 against
    45 … 70 ms); on idle cores sleeping costs about half as much again (29 against 18 ms). Results
    are the same bits. A setting of the user's own (GOMP_SPINCOUNT, OMP_WAIT_POLICY) is left alone.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
