"""Metrics are scraped by another thread than the one that works: nothing breaks, nothing falls."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass, field, replace

from prometheus_client.parser import text_string_to_metric_families

from hardware.metrics import AT_ONCE, BUCKETS_S, StageTimes, served
from magis_calib.domain.control import Decision
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.estimate import unusable_station
from magis_calib.run.history import RunHistory
from magis_calib.run.receiver import ReceiverState
from magis_calib.state.snapshot import Counters, Snapshot

DROPS = 3000


@dataclass
class Run:
    """What metrics see of a run."""

    snapshot: Snapshot = field(
        default_factory=lambda: Snapshot("b", "B", "live", "", 0.0, "open", "", None)
    )
    waiting_bytes: dict[str, int] = field(default_factory=lambda: {"work": 0})


def drop(drop_id: int) -> DropRecord:
    """A drop whose stages took some time."""
    decision = Decision(drop_id, 0, "held", "")
    stages = {"fit": BUCKETS_S[drop_id % len(BUCKETS_S)], f"stage {drop_id % 40}": 0.001}
    nothing = unusable_station(drop_id, "")
    return DropRecord(drop_id, 0, "interferometer", True, nothing, decision, {}, stages)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def counts(port: int) -> dict[tuple[str, ...], float]:
    """Every number of one scrape that must not fall."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    return {
        (one.name, *(value for _, value in sorted(one.labels.items()))): one.value
        for family in families
        if family.name.startswith("magis_") and family.type in ("counter", "histogram")
        for one in family.samples
    }


def test_scrapes_without_pause_neither_break_the_worker_nor_see_a_count_fall() -> None:
    run, times, history, port = Run(), StageTimes(), RunHistory(), free_port()
    broken: list[BaseException] = []

    def work() -> None:
        try:
            for drop_id in range(1, DROPS + 1):
                history.add(drop(drop_id))
                times.observe(history.records[-1])
                run.snapshot = replace(
                    run.snapshot, counters=history.counters, records=history.records
                )
        except BaseException as error:  # noqa: BLE001 - told in the thread of the test
            broken.append(error)

    worker = threading.Thread(target=work)
    seen: dict[tuple[str, ...], float] = {}
    scrapes = 0
    with served(run, times, port):
        worker.start()
        while worker.is_alive() or not scrapes:
            fresh = counts(port)
            assert [key for key in seen if fresh[key] < seen[key]] == []
            seen, scrapes = fresh, scrapes + 1
        worker.join()
        last = counts(port)
    assert broken == []
    assert last["magis_stage_seconds_count", "fit"] == DROPS
    assert last["magis_drops_total", "complete"] == DROPS
    expected = Counter(BUCKETS_S[number % len(BUCKETS_S)] for number in range(1, DROPS + 1))
    first = BUCKETS_S[0]
    assert last["magis_stage_seconds_bucket", str(first), "fit"] == expected[first]


def test_a_frame_that_comes_late_does_not_make_a_count_fall() -> None:
    run, times, port = Run(), StageTimes(), free_port()
    given_up = ReceiverState(received=3, lost=1)
    come = replace(given_up, received=4, lost=0, late=1)
    seen = []
    with served(run, times, port):
        for state in (given_up, come):
            counted = Counters(received=state.received, lost=state.lost, late=state.late)
            run.snapshot = replace(run.snapshot, counters=counted, time_s=time.monotonic())
            seen.append(counts(port)["magis_frames_total", "lost"])
    assert seen == [1, 1]


def test_who_holds_connections_open_costs_few_threads_and_is_cut_off() -> None:
    port, before = free_port(), threading.active_count()
    with served(Run(), StageTimes(), port):
        held = []
        for _ in range(200):
            one = socket.create_connection(("127.0.0.1", port), timeout=30)
            one.sendall(b"GET /metrics HTTP/1.1\r\nHost:")
            held.append(one)
        assert threading.active_count() - before <= 2 * AT_ONCE + 1
        for one in held:  # each is ended by the other side, with an answer or without
            with contextlib.suppress(ConnectionResetError):
                one.recv(1000)
            one.close()
        until_s = time.monotonic() + 30.0
        while True:
            with contextlib.suppress(OSError):
                assert counts(port)
                break
            assert time.monotonic() < until_s
