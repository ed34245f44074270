"""``/metrics``: what Prometheus sees, of all worker processes together."""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

Gauges = dict[str, tuple[str, Callable[[], float]]]
"""Name to help text and how to read it now."""

Breakers = Callable[[], Mapping[tuple[str, str], float]]
"""The state of each appliance's breaker by (tenant, appliance)."""


class Now(Collector):
    """Reads gauges when it is asked, so that counting costs nothing in between."""

    def __init__(self, gauges: Gauges, breakers: Breakers) -> None:
        self._gauges = gauges
        self._breakers = breakers

    def collect(self) -> Iterable[GaugeMetricFamily]:
        for name, (text, read) in self._gauges.items():
            yield GaugeMetricFamily(name, text, value=read())
        family = GaugeMetricFamily(
            "cti_appliance_breaker",
            "Whether orders go to the appliance: 0 they do, 1 the next one is a trial, 2 it is left alone",
            labels=["tenant", "appliance"],
        )
        for labels, value in self._breakers().items():
            family.add_metric(labels, value)
        yield family


def metrics_application(gauges: Gauges, breakers: Breakers = dict) -> Any:
    """The WSGI application of ``/metrics``; ``gauges`` are those of the worker that happens to answer."""
    registry = CollectorRegistry()
    registry.register(Now(gauges, breakers))
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(REGISTRY)
    return make_wsgi_app(registry)
