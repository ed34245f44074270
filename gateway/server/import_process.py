"""One scheduled import, in a process of its own and out of the way: ``python -m gateway.server.import_process``.

It is told what to do through its standard input, by the worker that started it, and ends when that ends.
"""

import os
import pickle
import sys
import threading

import structlog

from gateway.clock import milliseconds
from gateway.directory.schedule import ImportRequest
from gateway.directory.sources import job_of
from gateway.errors import GatewayError
from gateway.server import bootstrap, logs
from gateway.server.companies import tenants
from gateway.server.gateway import Gateway

log = structlog.get_logger()


def main() -> int:
    """Exit code 0 when the import came to its end."""
    # Our own worker writes this, through a pipe that nobody else has.
    order: ImportRequest = pickle.load(sys.stdin.buffer)  # noqa: S301
    threading.Thread(target=_die_with_parent, name="parent-watch", daemon=True).start()
    _stand_back()
    logs.set_up(order.config.log)
    with bootstrap.build(order.config, order.data) as gateway:
        return _import(gateway, order)


def _import(gateway: Gateway, order: ImportRequest) -> int:
    table = order.config.tenants[order.tenant].directory[order.name]
    plan = tenants(order.config)[order.tenant].numbers
    try:
        job = job_of(order.tenant, order.name, table, plan, gateway.importer.imports)
        gateway.importer.run(job, table.source, run_id=order.run_id)
    except GatewayError as error:
        log.warning("import_failed", tenant=order.tenant, source=order.name, error=str(error))
        gateway.importer.imports.bury(order.run_id, milliseconds(), message=error.whole)
        return 1
    return 0


def _stand_back() -> None:
    """Leave the processor to events, and take any processor: the worker that started this may be kept on one."""
    os.nice(10)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))


def _die_with_parent() -> None:
    # Not through the file object: at the end of the process it would wait for this thread to give it back.
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
