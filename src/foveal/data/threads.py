"""The same function over many files in a few threads, with the answers in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

MAX_THREADS = 8
T = TypeVar("T")


def in_order(work: Callable[[int], T], count: int) -> Iterator[T]:
    """work(0), work(1), … work(count - 1), computed a little ahead of whoever asks.

    Pillow and NumPy let go of the interpreter while they compute, so threads are enough. Only
    a few answers wait at a time: memory stays small, and stopping early stops soon.
    """
    threads = min(MAX_THREADS, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[T]] = deque()
        try:
            for index in range(count):
                waiting.append(pool.submit(work, index))
                if len(waiting) >= 4 * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
