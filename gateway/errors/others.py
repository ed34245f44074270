"""Errors 600 to 999: sources of the directory and of events, and defects of ours."""

from gateway.errors.root import GatewayError
from gateway.texts.text import Text


class SourceError(GatewayError):
    """A source of the directory (a file, a database, a CRM) cannot be read, or not to its end."""

    code = 600
    http_status = 502


class ImportRunning(SourceError):
    """The same source is being imported already."""

    code = 610
    http_status = 409

    def __init__(self, source: str) -> None:
        super().__init__(
            Text("an import of {source!r} is under way already.", source=source), hint=Text("Wait until it has ended.")
        )


class ImportSuperseded(SourceError):
    """This import hung for so long that it was taken for dead, and another may be under way by now."""

    code = 620
    http_status = 409

    def __init__(self, run_id: int) -> None:
        super().__init__(
            Text("import {run} gave no sign of life for so long that it was given up; it writes no more.", run=run_id),
            hint=Text("What it had written holds; the next import completes the rest."),
        )


class SourceSuperseded(GatewayError):
    """Another process has taken a source of events meanwhile: what was still told by the one before is not written."""

    code = 640
    http_status = 409

    def __init__(self, source: str) -> None:
        super().__init__(
            Text("another process runs the source {source} by now; this one writes no more of it.", source=source)
        )


class EventSourceError(GatewayError):
    """A source of events cannot be heard, or not any more; it is tried again after a pause, of ``pause_s`` at least."""

    code = 650
    http_status = 502

    def __init__(self, text: Text | str, *, hint: Text | str = "", pause_s: float = 0.0) -> None:
        super().__init__(text, hint=hint)
        self.pause_s = pause_s


class MainGatewayError(GatewayError):
    """The main gateway of a gateway on site cannot be reached, or does not take what it is sent.

    ``status`` is that of its answer, 0 where none came.
    """

    code = 660
    http_status = 502

    def __init__(self, text: Text | str, *, hint: Text | str = "", status: int = 0) -> None:
        super().__init__(text, hint=hint)
        self.status = status


class InternalError(GatewayError):
    """A defect of ours; the log has the details, the client gets none of them."""

    code = 900

    def __init__(self, incident: str) -> None:
        super().__init__(Text("internal error; look for {incident} in the gateway's log.", incident=incident))
