from __future__ import annotations

import threading

from magis_calib.link.bounded_queue import BoundedQueue


def test_items_come_out_in_order() -> None:
    queue: BoundedQueue[int] = BoundedQueue(100)
    for number in range(3):
        assert queue.put(number, 30)
    assert [queue.get(0.0) for _ in range(4)] == [0, 1, 2, None]


def test_a_full_queue_makes_the_giver_wait_until_there_is_room() -> None:
    queue: BoundedQueue[str] = BoundedQueue(100)
    queue.put("first", 80)
    given = threading.Event()

    def give() -> None:
        queue.put("second", 80)
        given.set()

    giver = threading.Thread(target=give)
    giver.start()
    assert not given.wait(0.1)
    assert queue.get(1.0) == "first"
    assert given.wait(5.0)
    giver.join()


def test_an_item_larger_than_the_bound_still_passes_alone() -> None:
    queue: BoundedQueue[str] = BoundedQueue(10)
    assert queue.put("large", 1000)
    assert queue.get(0.0) == "large"


def test_a_closed_queue_takes_nothing_and_gives_what_it_has() -> None:
    queue: BoundedQueue[int] = BoundedQueue(100)
    queue.put(1, 10)
    queue.close()
    assert not queue.put(2, 10)
    assert not queue.drained
    assert queue.get(0.0) == 1
    assert queue.drained
    assert queue.get(10.0) is None
