"""What Prometheus scrapes, on this machine alone: the newest snapshot, durations of stages."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from socketserver import ThreadingMixIn
from typing import Any, Protocol, get_args
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import (
    CollectorRegistry,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    make_wsgi_app,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import ConfigError
from magis_calib.state.safety import SafetyWord
from magis_calib.state.snapshot import Counters, LoopWord, RecordingState, Snapshot

LOOPBACK = "127.0.0.1"
AT_ONCE = 8
"""Scrapes; who holds a connection open costs a thread."""
SILENT_S, LONGEST_S = 5.0, 10.0
"""A connection may be silent for so long, and last so long."""
BUCKETS_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0)
COUNTED: Mapping[str, Sequence[str]] = {
    "frames": ("received", "stored", "not_stored", "lost", "duplicate"),
    "drops": ("expected", "complete", "incomplete", "usable"),
    "corrections": ("sent", "applied", "refused", "held"),
}


class MeasuredRun(Protocol):
    """A run as its metrics see it: frozen values only, for another thread reads them."""

    @property
    def snapshot(self) -> Snapshot:
        """The newest picture of the run."""

    @property
    def waiting_bytes(self) -> Mapping[str, int]:
        """Bytes in each queue, by its name."""


class StageTimes:
    """Counts how long every stage of the drops took. The worker tells, scrapes read."""

    def __init__(self) -> None:
        """Begin with no drop."""
        # without this a gauge `_created`, which nobody asked for, stands beside each histogram
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._seconds = Histogram(
            "magis_stage_seconds",
            "duration of each stage of a drop",
            labelnames=["stage"],
            buckets=BUCKETS_S,
            registry=self.registry,
        )

    def observe(self, record: DropRecord) -> None:
        """Take in one finished drop."""
        for stage, seconds in record.durations_s.items():
            self._seconds.labels(stage).observe(seconds)


class SnapshotCollector(Collector):
    """Makes all other metrics with each scrape, out of the newest snapshot."""

    def __init__(self, run: MeasuredRun) -> None:
        """Look at this run."""
        self._run = run

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        snapshot = self._run.snapshot
        waiting_bytes = self._run.waiting_bytes
        yield from _counts(snapshot.counters)
        yield from _ages(snapshot)
        yield _labelled("queue_bytes", "bytes that wait in a queue", "queue", waiting_bytes)
        yield from _disk(snapshot)
        yield _state("loop_state", "what the loop does", get_args(LoopWord), snapshot.loop)
        yield _state(
            "safety_state",
            "whether anything may reach the hardware",
            get_args(SafetyWord),
            snapshot.safety,
        )
        yield _alarms(snapshot)
        yield from _observables(snapshot)


@contextlib.contextmanager
def served(run: MeasuredRun, times: StageTimes, port: int) -> Iterator[None]:
    """Answer scrapes at this port of the loopback interface.

    Raises `ConfigError` where it is taken.
    """
    registry = times.registry
    registry.register(SnapshotCollector(run))
    ProcessCollector(registry=registry)
    try:
        server = make_server(LOOPBACK, port, make_wsgi_app(registry), _Server, _Scrape)
    except OSError as error:
        raise ConfigError(
            f"--metrics {port}: cannot listen on {LOOPBACK}:{port}: {error}"
        ) from error
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Scrape(WSGIRequestHandler):
    """One scrape. Who says nothing for a while is cut off."""

    timeout = SILENT_S

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class _Server(ThreadingMixIn, WSGIServer):
    """Answers a few scrapes at a time, each for a limited time; others are cut off at once."""

    daemon_threads = True

    def __init__(self, *where: Any) -> None:
        self._free = threading.Semaphore(AT_ONCE)
        super().__init__(*where)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        late = threading.Timer(LONGEST_S, self._cut_off, [request])
        late.daemon = True
        late.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            late.cancel()
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A scraper that leaves, or is cut off, is no news."""

    @staticmethod
    def _cut_off(request: socket.socket) -> None:
        with contextlib.suppress(OSError):
            request.shutdown(socket.SHUT_RDWR)


def _counts(counters: Counters) -> Iterator[Metric]:
    for name, kinds in COUNTED.items():
        family = CounterMetricFamily(
            f"magis_{name}", f"{name} since the start of the run", labels=["what"]
        )
        for kind in kinds:
            family.add_metric([kind], _counted(counters, kind))
        yield family
    refused = CounterMetricFamily(
        "magis_frames_refused", "frames refused, by error code", labels=["code"]
    )
    for code, count in counters.malformed.items():
        refused.add_metric([code], count)
    yield refused


def _counted(counters: Counters, kind: str) -> int:
    """Return a count that never falls: a frame that comes late stays one that was given up."""
    late = counters.late if kind == "lost" else 0
    return int(getattr(counters, kind)) + late


def _ages(snapshot: Snapshot) -> Iterator[Metric]:
    since_s = time.monotonic() - snapshot.time_s
    if snapshot.latest is not None and snapshot.latest_s is not None:
        yield GaugeMetricFamily(
            "magis_newest_drop", "number of the newest drop", snapshot.latest.drop_id
        )
        yield GaugeMetricFamily(
            "magis_newest_drop_age_seconds",
            "since the newest drop was evaluated",
            time.monotonic() - snapshot.latest_s,
        )
    yield GaugeMetricFamily("magis_snapshot_age_seconds", "since the run said anything", since_s)
    yield _labelled(
        "link_up",
        "1 for each peer that is there",
        "peer",
        {link.name: float(link.connected) for link in snapshot.links},
    )
    ages = {link.name: link.age_s + since_s for link in snapshot.links if link.age_s is not None}
    yield _labelled("link_age_seconds", "since the last word of a peer", "peer", ages)


def _alarms(snapshot: Snapshot) -> Metric:
    labels = ["key", "severity"]
    family = GaugeMetricFamily("magis_alarm", "1 for each alarm that stands", labels=labels)
    for alarm in snapshot.alarms:
        family.add_metric([alarm.key, alarm.severity], 1.0)
    return family


def _observables(snapshot: Snapshot) -> Iterator[Metric]:
    if snapshot.latest is None:
        return
    estimate = snapshot.latest.estimate
    yield _labelled("observable", "of the newest drop (SI)", "name", estimate.values)
    about = "standard error of the same (SI)"
    yield _labelled("observable_stderr", about, "name", estimate.stderr)


def _disk(snapshot: Snapshot) -> Iterator[Metric]:
    known = snapshot.recording or RecordingState()
    yield GaugeMetricFamily(
        "magis_disk_free_bytes", "where the session is recorded", known.free_bytes
    )
    yield GaugeMetricFamily("magis_disk_hours_left", "at the present pace", known.hours_left)


def _state(name: str, about: str, words: Sequence[str], now: str) -> Metric:
    return _labelled(
        name,
        f"{about}: 1 for the state that it is in",
        "state",
        {word: float(word == now) for word in words},
    )


def _labelled(name: str, about: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"magis_{name}", about, labels=[label])
    for key, value in values.items():
        family.add_metric([key], float(value))
    return family
