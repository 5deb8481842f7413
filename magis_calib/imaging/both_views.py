"""Both views of a pair at the same time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from magis_calib.domain.camera import View

Item = TypeVar("Item")
Returned = TypeVar("Returned")


def side_by_side(
    work: Callable[[View, Item], Returned], items: Mapping[View, Item]
) -> dict[View, Returned]:
    """Return `work` of every view, each in a thread of its own that ends with it.

    Worth it where the work is sums over whole images, which run without Python's lock; a fit is
    not.
    """
    with ThreadPoolExecutor(len(items), thread_name_prefix="view") as pool:
        return dict(zip(items, pool.map(work, items.keys(), items.values()), strict=True))
