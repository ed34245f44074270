"""Lines become records: what is passed over, kept for later, put together."""

from typing import Any

from gateway.events.lines.catalogue import made
from gateway.events.lines.description import LineDescription
from gateway.events.lines.framing import RawLine
from gateway.events.lines.records import LineRecord, RecordReader, Unread


def description(**tables: Any) -> LineDescription:
    return made({"lines": [{"names": ["ext", "number"], "least": 2}], **tables}, "test")


def read(told: LineDescription, *lines: str) -> list[LineRecord | Unread]:
    reader = RecordReader(told)
    found = [each for place, line in enumerate(lines) for each in reader.take(RawLine(line, place * 10, 0))]
    return [*found, *reader.flush()]


def fields(found: LineRecord | Unread) -> dict[str, str]:
    assert isinstance(found, LineRecord), found
    return {name: text for name, text in found.fields.items() if name not in ("line", "shape")}


def test_what_is_skipped_leaves_no_trace_and_what_nothing_fits_is_unread() -> None:
    told = description(skip=["^-+$", "^EXT"])
    found = read(told, "EXT,NUMBER", "-----", "201,1133334444", "nothing")
    assert fields(found[0]) == {"ext": "201", "number": "1133334444"}
    assert found[1:] == [Unread("nothing")]


def test_the_first_shape_that_fits_counts() -> None:
    shapes = [
        {"name": "long", "length": 12, "columns": {"ext": "1-3"}},
        {"name": "starred", "begins": ["*", "#"], "pattern": r"[*#](?P<ext>\d+).*"},
        {"name": "spaces", "separator": " ", "quote": "", "names": ["ext", "_", "number"]},
    ]
    found = read(description(lines=shapes), "201xxxxxxxxx", "#202 abc", "203   x    1133334444")
    assert [fields(each) for each in found] == [{"ext": "201"}, {"ext": "202"}, {"ext": "203", "number": "1133334444"}]
    assert [each.shapes for each in found if isinstance(each, LineRecord)] == [("long",), ("starred",), ("spaces",)]


def test_a_header_gives_its_fields_to_the_records_after_it_also_after_a_restart() -> None:
    shapes = [
        {"pattern": r"DAY (?P<date>\d\d/\d\d)", "keep": True},
        {"names": ["ext", "number"], "least": 2},
    ]
    told = description(lines=shapes)
    reader = RecordReader(told)
    assert list(reader.take(RawLine("DAY 05/03", 0, 10))) == []
    again = RecordReader(told, reader.memory)
    (found,) = again.take(RawLine("201,1133334444", 10, 20))
    assert fields(found)["date"] == "05/03"


def test_titles_say_the_order_of_the_fields() -> None:
    shapes = [{"found": "^Number", "is_title": True}, {"titles": True, "names": ["ext", "Number"], "least": 2}]
    told = description(lines=shapes)
    assert fields(read(told, "201,1133334444")[0]) == {"ext": "201", "Number": "1133334444"}
    assert fields(read(told, "Number,Ext no", "1133334444,201")[0]) == {"Number": "1133334444", "Ext_no": "201"}


def several(**rule: Any) -> LineDescription:
    shapes = [{"pattern": r"> (?P<ext>\d+)"}, {"pattern": r"\+ (?P<number>\d+)"}, {"pattern": r"= (?P<talk>\d+)"}]
    return description(lines=shapes, record={"begins": "^>", **rule})


def test_lines_of_one_record_are_put_together() -> None:
    found = read(several(), "> 201", "+ 1133334444", "> 202", "nothing that fits", "= 5")
    assert [fields(each) for each in found] == [{"ext": "201", "number": "1133334444"}, {"ext": "202", "talk": "5"}]
    assert [each.offset for each in found if isinstance(each, LineRecord)] == [0, 20]


def test_a_record_ends_with_its_last_line_with_its_most_or_with_what_is_none_of_it() -> None:
    reader = RecordReader(several(ends="^="))
    found = [each for line in ("> 201", "= 5") for each in reader.take(RawLine(line, 0, 0))]
    assert [fields(each) for each in found] == [{"ext": "201", "talk": "5"}]
    assert not reader.waits
    assert len(read(several(most=2), "> 201", "+ 1", "+ 2")) == 2
    found = read(several(goes_on=r"^\+"), "> 201", "= 5")
    assert [fields(each) for each in found] == [{"ext": "201"}, {"talk": "5"}]


def test_where_an_open_record_begins_is_known() -> None:
    reader = RecordReader(several())
    list(reader.take(RawLine("> 201", 40, 50)))
    assert reader.begun_at == 40
    list(reader.flush())
    assert reader.begun_at is None


def test_quotes_hold_separators() -> None:
    (found,) = read(description(), '"201","Silva, Ana"')
    assert fields(found) == {"ext": "201", "number": "Silva, Ana"}


def test_a_pattern_that_takes_for_ever_fits_nothing() -> None:
    told = description(lines=[{"pattern": r"(?P<ext>(\d+)+)x"}])
    assert read(told, "1" * 200) == [Unread("1" * 200)]
