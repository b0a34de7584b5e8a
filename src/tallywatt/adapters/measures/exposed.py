"""The measures of a process on a port of their own, in Prometheus' words. Nothing is computed until somebody asks.

The library is loaded with this module, and this module only where a port is set: a start pays nothing for it.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any

import structlog
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from tallywatt.kernel.errors import Broken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from threading import Thread
    from wsgiref.simple_server import WSGIServer

    from prometheus_client.core import Metric

    from tallywatt.kernel.measures import Counter, Spread

log = structlog.get_logger(__name__)

PREFIX = "tallywatt_"
MICROSECONDS_A_SECOND = 1_000_000


class Exposed(Collector):
    """All measures of one process. Each has a name, a sentence, and where its figures come from."""

    def __init__(self) -> None:
        self._counters: list[tuple[str, str, Counter]] = []
        self._spreads: list[tuple[str, str, Spread, int]] = []
        self._gauges: list[tuple[str, str, Callable[[], float]]] = []
        self._asked: list[Callable[[], Iterable[tuple[str, str, Mapping[str, str], float]]]] = []
        self._totals: list[tuple[str, str, Callable[[], float]]] = []

    def counter(self, name: str, says: str, counter: Counter) -> None:
        """Something that is counted by labels."""
        self._counters.append((name, says, counter))

    def total(self, name: str, says: str, read: Callable[[], float]) -> None:
        """A number that only rises."""
        self._totals.append((name, says, read))

    def spread(self, name: str, says: str, spread: Spread, unit: int = 1) -> None:
        """Figures of which `unit` make one of the unit in the name."""
        self._spreads.append((name, says, spread, unit))

    def gauge(self, name: str, says: str, read: Callable[[], float]) -> None:
        """How much there is at the moment."""
        self._gauges.append((name, says, read))

    def gauges_of(self, ask: Callable[[], Iterable[tuple[str, str, Mapping[str, str], float]]]) -> None:
        """Many at once: what one question to the database tells."""
        self._asked.append(ask)

    def describe(self) -> Iterable[Metric]:
        """Nothing yet: what there is to count shows while it is counted."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Everything, as it is now. A database that does not answer takes its own figures away, not the others."""
        for name, says, counter in self._counters:
            family: Any = CounterMetricFamily(PREFIX + name, says, labels=counter.labels)
            for labels, total in list(counter.totals.items()):
                family.add_metric(labels, total)
            yield family
        for name, says, read in self._totals:
            yield CounterMetricFamily(PREFIX + name, says, value=read())
        for name, says, spread, unit in self._spreads:
            yield _histogram(PREFIX + name, says, spread, unit)
        for name, says, read in self._gauges:
            yield GaugeMetricFamily(PREFIX + name, says, value=read())
        for ask in self._asked:
            try:
                yield from _families(ask())
            except Exception as error:  # noqa: BLE001  # whatever it is, the figures that need no database are still good
                log.warning("measures.database_silent", error=repr(error))


def _families(rows: Iterable[tuple[str, str, Mapping[str, str], float]]) -> Iterable[Metric]:
    found: dict[str, Any] = {}
    for name, says, labels, value in rows:
        if name not in found:
            found[name] = GaugeMetricFamily(PREFIX + name, says, labels=tuple(labels))
        found[name].add_metric(tuple(labels.values()), value)
    return found.values()


def _histogram(name: str, says: str, spread: Spread, unit: int) -> Metric:
    family = HistogramMetricFamily(name, says, labels=spread.labels)
    bounds = [*(str(bound / unit) for bound in spread.bounds), "+Inf"]
    for labels, counts in list(spread.counts.items()):
        buckets = list(zip(bounds, accumulate(counts), strict=True))
        family.add_metric(labels, buckets, sum_value=spread.sums[labels] / unit)
    return family


class Listening:
    """The port on which the measures are read."""

    def __init__(self, exposed: Exposed, host: str, port: int) -> None:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(exposed)
        for standard in (ProcessCollector, PlatformCollector, GCCollector):
            standard(registry=registry)
        self._server: WSGIServer
        self._thread: Thread
        try:
            self._server, self._thread = start_http_server(port, host, registry)
        except OSError as error:
            msg = f"port {port} for measures cannot be opened: {error.strerror}"
            raise Broken(msg, code="serve.port_taken", remedy="set TALLYWATT_METRICS_PORT to a free port") from error
        self.port = int(self._server.server_port)

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
