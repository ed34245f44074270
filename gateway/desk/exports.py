"""Calls as a file: CSV as it is read, and XLSX. No cell is ever a formula: calls hold the texts of strangers.

A CSV is written while it is sent. An XLSX is written into a temporary file first, a row at a time; it has room for
1,048,575 calls, and says so in its last line where there are more.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Any
from zoneinfo import ZoneInfo

from werkzeug.wrappers import Response

from gateway.desk import filters
from gateway.desk.context import Visit
from gateway.desk.formats import local, number_text
from gateway.desk.rendering import private
from gateway.desk.search_words import RESULTS
from gateway.domain.links import safe_link
from gateway.domain.spreadsheets import harmless
from gateway.store.call_fields import LOG_FIELDS, is_moment
from gateway.store.calls import LoggedCall
from gateway.texts.languages import Language
from gateway.texts.rendering import shown
from gateway.texts.text import Text

MOST_ROWS = 1_048_575
"""Of an XLSX, below its heading."""
LONGEST_CELL = 32_767
CHUNK = 64 * 1024
CSV, XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TOO_MANY = Text("More calls match: a spreadsheet has no room for them. Choose a shorter period, or CSV.")
SEPARATORS: Mapping[str, str] = {"en": ","}
"""What Excel expects between fields; a semicolon where the decimal sign is a comma."""
Cell = str | int | datetime | None
DIRECTIONS = {"incoming": Text("Incoming"), "outgoing": Text("Outgoing"), "internal": Text("Internal")}
RESULT_NAMES = dict(RESULTS.values())


@dataclass(frozen=True, slots=True)
class CallSheet:
    """What stands in a file of calls: its heading, and the cells of a call."""

    head: Sequence[str]
    cells: Callable[[LoggedCall], Sequence[Cell]]
    language: Language


def sheet_for_people(zone: ZoneInfo, language: Language) -> CallSheet:
    """Return the columns that people read, in their language, times in ``zone``."""
    columns = _columns(zone, language)
    head = [shown(name, language) for name, _ in columns]
    return CallSheet(head, lambda call: [read(call) for _, read in columns], language)


def sheet_for_programs(zone: ZoneInfo, language: Language) -> CallSheet:
    """Return all fields of the log under their own names, times in ``zone``."""
    return CallSheet(LOG_FIELDS, lambda call: _fields(call, zone), language)


def as_csv(calls: Iterable[LoggedCall], sheet: CallSheet, *, separator: str = ",") -> Iterator[bytes]:
    """Yield the lines of a CSV, which begins with a mark by which Excel knows UTF-8."""
    yield "\ufeff".encode() + _line(sheet.head, separator)
    for call in calls:
        yield _line(sheet.cells(call), separator)


def as_xlsx(calls: Iterable[LoggedCall], sheet: CallSheet, *, most: int = MOST_ROWS) -> IO[bytes]:
    """Return an XLSX as a temporary file, to be read from its beginning."""
    import xlsxwriter  # only here: it is seldom needed

    file = TemporaryFile()  # noqa: SIM115 - whoever sends it closes it
    settings = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(file, {**settings, "strings_to_numbers": False})
    page, moment = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    page.freeze_panes(1, 0)
    page.set_column(0, len(sheet.head) - 1, 18)
    page.write_row(0, 0, sheet.head, book.add_format({"bold": True}))
    row, found = 0, iter(calls)
    for row, call in enumerate(islice(found, most), start=1):
        _write_row(page, row, sheet.cells(call), moment)
    if row == most and next(found, None) is not None:
        page.write_string(row, 0, shown(TOO_MANY, sheet.language))
    book.close()
    file.seek(0)
    return file


def page_as_csv(visit: Visit) -> Response:
    """Send the calls of the page's filter as a CSV for people."""
    separator = SEPARATORS.get(visit.language, ";")
    return _sent(visit, as_csv(_of_page(visit), _for_people(visit), separator=separator), CSV)


def page_as_xlsx(visit: Visit) -> Response:
    """Send the calls of the page's filter as an XLSX for people."""
    return _sent(visit, _pieces(as_xlsx(_of_page(visit), _for_people(visit))), XLSX)


def api_csv(visit: Visit) -> Response:
    """Send all calls that match as a CSV for programs. Raises ``BadParameter``."""
    return _sent(visit, as_csv(_of_script(visit), _for_programs(visit)), CSV)


def api_xlsx(visit: Visit) -> Response:
    """Send all calls that match as an XLSX for programs. Raises ``BadParameter``."""
    return _sent(visit, _pieces(as_xlsx(_of_script(visit), _for_programs(visit))), XLSX)


def _of_page(visit: Visit) -> Iterator[LoggedCall]:
    search = filters.CallSearch.of(visit.request.args)
    return visit.calls.every(visit.reader.understand(search.text).narrowed(search.wanted(visit.zone)))


def _of_script(visit: Visit) -> Iterator[LoggedCall]:
    wanted, _ = filters.wanted_by_script(visit.request.args, visit.reader)
    return visit.calls.every(wanted)


def _for_people(visit: Visit) -> CallSheet:
    return sheet_for_people(visit.zone, visit.language)


def _for_programs(visit: Visit) -> CallSheet:
    return sheet_for_programs(visit.zone, visit.language)


def _sent(visit: Visit, pieces: Iterator[bytes], media_type: str) -> Response:
    """Return a file to be saved, named after the company and the moment: ``acme-2026-11-30-1420.csv``."""
    name = f"{visit.tenant}-{local(visit.at, visit.zone):%Y-%m-%d-%H%M}.{'csv' if media_type == CSV else 'xlsx'}"
    response = private(Response(pieces, mimetype=media_type))
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(CHUNK):
            yield piece


def _line(cells: Sequence[Cell], separator: str) -> bytes:
    line = io.StringIO()
    csv.writer(line, delimiter=separator).writerow([_in_csv(cell) for cell in cells])
    return line.getvalue().encode("utf-8", "replace")


def _in_csv(cell: Cell) -> str | int:
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S")
    return harmless(cell) if isinstance(cell, str) else "" if cell is None else cell


def _write_row(page: Any, row: int, cells: Sequence[Cell], moment: Any) -> None:
    for column, cell in enumerate(cells):
        if isinstance(cell, datetime):
            page.write_datetime(row, column, cell, moment)
        elif isinstance(cell, str):
            page.write_string(row, column, cell[:LONGEST_CELL])
        elif cell is not None:
            page.write_number(row, column, cell)


def _moment(at: int | None, zone: ZoneInfo) -> datetime | None:
    """Return a time on the company's clock, whole seconds; spreadsheets know no zones."""
    return None if at is None else local(at, zone).replace(microsecond=0, tzinfo=None)


def _columns(zone: ZoneInfo, language: Language) -> Sequence[tuple[Text, Callable[[LoggedCall], Cell]]]:
    def said(names: Mapping[str, Text], code: str | None) -> str | None:
        return shown(names[code], language) if code is not None and code in names else code

    return (
        (Text("Start"), lambda call: _moment(call.started_at or call.logged_at, zone)),
        (Text("Direction"), lambda call: said(DIRECTIONS, call.direction)),
        (Text("Number"), lambda call: number_text(call.number)),
        (Text("Account"), lambda call: call.account),
        (Text("Code"), lambda call: call.account_code),
        (Text("Contact"), lambda call: call.contact or call.caller_name),
        (Text("Extension"), lambda call: call.extension),
        (Text("Who"), lambda call: call.answered_agent_name or call.answered_agent),
        (Text("Queue"), lambda call: call.queue),
        (Text("Line"), lambda call: call.line_name or call.line),
        (Text("Result"), lambda call: said(RESULT_NAMES, call.result)),
        (Text("Missed"), lambda call: shown(Text("yes"), language) if call.missed else ""),
        (Text("Waited (s)"), lambda call: call.waited_s if call.waited_s is not None else call.ring_s),
        (Text("Talked (s)"), lambda call: call.spoken_s),
        (Text("Note"), lambda call: call.note),
        (Text("Outcome"), lambda call: call.note_outcome),
        (Text("End"), lambda call: _moment(call.ended_at, zone)),
        (Text("Recording"), lambda call: safe_link(call.recording_url)),
        (Text("Call"), lambda call: call.id),
    )


def _fields(call: LoggedCall, zone: ZoneInfo) -> Sequence[Cell]:
    told = call.as_json()
    return [_moment(getattr(call, name), zone) if is_moment(name) else plain(told[name]) for name in LOG_FIELDS]


def plain(value: Any) -> Cell:
    """Return a field as one cell: extensions with spaces between, structures as JSON, empty ones as nothing."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return " ".join(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return value if isinstance(value, str | int) or value is None else str(value)
