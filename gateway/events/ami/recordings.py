"""Where a call is recorded, and what its CDR rows say that no event does."""

from collections.abc import Callable, Mapping

from gateway.events.ami.channels import variables_in
from gateway.events.ami.heard import HeardBlock

FILE_NAME = "MIXMONITOR_FILENAME"
LONGEST_PATH = 1_000


def recording_begins(heard: HeardBlock) -> None:
    """Keep the file's name, which only a channel variable tells: ``channelvars=MIXMONITOR_FILENAME`` (recorded)."""
    channel = heard.channel()
    path = variables_in(heard.block).get(FILE_NAME, "")
    if channel is not None and path and not channel.call.recording:
        channel.call.recording = path[:LONGEST_PATH]


def row_is_written(heard: HeardBlock) -> None:
    """Keep which application a caller was in last, and the recording's file where a mapping tells it."""
    channel = heard.life.board.channels.get(heard.get("UniqueID"))
    if channel is None:
        return
    channel.call.application = heard.get("LastApplication") or channel.call.application
    channel.call.recording = channel.call.recording or heard.get("RecordingFile")[:LONGEST_PATH]


HANDLERS: Mapping[str, Callable[[HeardBlock], None]] = {
    "MixMonitorStart": recording_begins,
    "Cdr": row_is_written,
}
