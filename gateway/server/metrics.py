"""``/metrics``: what Prometheus sees, of all worker processes together."""

import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

log = structlog.get_logger()

Gauges = dict[str, tuple[str, Callable[[], float]]]
"""Name to help text and how to read it now."""

Labels = tuple[str, ...]
LabelledGauges = Mapping[str, tuple[str, Labels, Callable[[], Mapping[Labels, float]]]]
"""Name to help text, names of labels, and how to read the values now, by values of labels."""


class Now(Collector):
    """Reads gauges when it is asked, so that counting costs nothing in between.

    One that cannot be read (the database is gone) is logged and left out: the others are needed most just then.
    """

    def __init__(self, gauges: Gauges, labelled: LabelledGauges) -> None:
        self._gauges = gauges
        self._labelled = labelled

    def collect(self) -> Iterable[GaugeMetricFamily]:
        for name, (text, read) in self._gauges.items():
            yield from _read(name, partial(_plain, name, text, read))
        for name, (text, labels, values) in self._labelled.items():
            yield from _read(name, partial(_family, name, text, labels, values))


def _read(name: str, make: Callable[[], GaugeMetricFamily]) -> Iterable[GaugeMetricFamily]:
    try:
        return (make(),)
    except Exception as error:
        log.error("metric_not_read", metric=name, error=type(error).__name__)
        return ()


def _plain(name: str, text: str, read: Callable[[], float]) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=read())


def _family(name: str, text: str, labels: Labels, read: Callable[[], Mapping[Labels, float]]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=labels)
    for each, value in read().items():
        family.add_metric(each, value)
    return family


def metrics_application(
    gauges: Gauges, labelled: LabelledGauges = MappingProxyType({}), *, before: Callable[[], None] = lambda: None
) -> Any:
    """Return the WSGI application of ``/metrics``; gauges are those of the worker that happens to answer, which calls
    ``before`` first.
    """
    registry = CollectorRegistry()
    registry.register(Now(gauges, labelled))
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(REGISTRY)
    application = make_wsgi_app(registry)

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        before()
        return application(environ, start_response)

    return serve
