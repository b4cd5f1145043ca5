"""The same function over many things in a few threads, with the answers in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

MAX_THREADS = 8
S = TypeVar("S")
T = TypeVar("T")


def in_order(work: Callable[[S], T], items: Sequence[S], together: int = 1) -> Iterator[T]:
    """work(item) for each of some items, computed a little ahead of whoever asks.

    Pillow and NumPy let go of the interpreter while they compute, so threads are enough. Only
    a few answers wait at a time: memory stays small, and stopping early stops soon. Where an item
    is little work, a thread takes several `together`.
    """

    def some(start: int) -> list[T]:
        return [work(item) for item in items[start : start + together]]

    threads = min(MAX_THREADS, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[list[T]]] = deque()
        try:
            for start in range(0, len(items), together):
                waiting.append(pool.submit(some, start))
                if len(waiting) >= 4 * threads:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
