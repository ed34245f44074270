"""Lengths of time in all the shapes that exchanges print."""

import pytest

from gateway.events.lines.lengths import Shape, read_length


@pytest.mark.parametrize(
    ("text", "shape", "seconds"),
    [
        ("00:02:41", "auto", 161),
        ("0002:00:41", "auto", 7241),
        ("02:41", "auto", 161),
        ("00:02'41", "auto", 161),
        ("0'12", "auto", 12),
        ("00:02'35\"", "auto", 155),
        ("00:02:41.5", "auto", 161.5),
        ("161", "auto", 161),
        ("S=000161", "auto", 161),
        ("2h05m03s", "auto", 7503),
        ("05M03", "auto", None),
        ("", "auto", None),
        ("161", "seconds", 161),
        ("1610", "tenths", 161),
        ("16100", "hundredths", 161),
        ("161000", "ms", 161),
        ("161000000", "us", 161),
        ("2.5", "minutes", 150),
        ("01:05", "hh:mm", 3900),
        ("0119", "hmmt", 714),
        ("011", "hmmt", None),
        ("0241", "mmss", 161),
        ("000241", "hhmmss", 161),
        ("00:02:41", "seconds", None),
        ("99999999999", "seconds", None),
        ("-5", "auto", None),
    ],
)
def test_each_shape(text: str, shape: Shape, seconds: float | None) -> None:
    if seconds is None:
        with pytest.raises(ValueError, match="is no length of time"):
            read_length(text, shape)
    else:
        assert read_length(text, shape) == pytest.approx(seconds)
