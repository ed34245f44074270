"""``/metrics``: what Prometheus sees, of all worker processes together."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

Gauges = dict[str, tuple[str, Callable[[], float]]]
"""Name to help text and how to read it now."""


class Now(Collector):
    """Reads gauges when it is asked, so that counting costs nothing in between."""

    def __init__(self, gauges: Gauges) -> None:
        self._gauges = gauges

    def collect(self) -> Iterable[GaugeMetricFamily]:
        for name, (text, read) in self._gauges.items():
            yield GaugeMetricFamily(name, text, value=read())


def metrics_application(gauges: Gauges) -> Any:
    """The WSGI application of ``/metrics``; ``gauges`` are those of the worker that happens to answer."""
    registry = CollectorRegistry()
    registry.register(Now(gauges))
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(REGISTRY)
    return make_wsgi_app(registry)
