"""How many files (connections are files) the process may have open, and how many it needs."""

import resource

import structlog

log = structlog.get_logger()

OTHERS = 512
"""Besides connections: the database, appliances, the lenient port, the log."""


def allow(connections: int) -> int:
    """Raise the soft limit of open files for so many connections; how many there can be with what was granted.

    Workers inherit it. Says in the log what lacks.
    """
    wanted = connections + OTHERS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if _covers(soft, wanted):
        return connections
    granted = wanted if _covers(hard, wanted) else hard
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (granted, hard))
    except (OSError, ValueError) as error:
        log.warning("open_files_not_raised", limit=soft, wanted=wanted, error=str(error))
        granted = soft
    return connections if granted >= wanted else _fewer(granted, wanted)


def _covers(limit: int, wanted: int) -> bool:
    return limit == resource.RLIM_INFINITY or limit >= wanted


def _fewer(granted: int, wanted: int) -> int:
    """Take fewer connections than configured: running out of files would stop more than waiting connections."""
    connections = max(64, granted - OTHERS)
    log.warning(
        "too_few_open_files",
        limit=granted,
        wanted=wanted,
        connections=connections,
        hint=f"allow {wanted} open files (ulimit -n, LimitNOFILE) or lower server.max_connections and max_screens",
    )
    return connections
