"""The same work on many items, in processes of its own where there are several."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Returned = TypeVar("Returned")
Tick = Callable[[], None]
"""Called once for every finished item."""

ITEMS_AT_ONCE = 4


def spread(
    work: Callable[[Item], Returned], items: Sequence[Item], processes: int, tick: Tick
) -> list[Returned]:
    """Return `work` of every item, in order.

    `work` and the items are pickled where `processes` > 1.
    """
    results = []
    if processes == 1:
        for item in items:
            results.append(work(item))
            tick()
        return results
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        for result in pool.map(work, items, chunksize=ITEMS_AT_ONCE):
            results.append(result)
            tick()
    return results
