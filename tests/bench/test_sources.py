"""The bench of sources plays the recording of a call as many calls."""

import re
from collections import Counter

from bench import ami_exchange, sources
from bench.hanging import Times


def test_a_recorded_call_is_played_as_another_one_each_time():
    call = ami_exchange.RecordedCall.read(sources.RECORDING)
    first, second = ([block.decode() for _, block in call.again(count)] for count in (1, 2))
    assert len(first) == len(second) == len(call.events) > 10
    ids = [set(re.findall(r"(?:Uniqueid|Linkedid): (\S+)", "".join(blocks))) for blocks in (first, second)]
    assert ids[0]
    assert not ids[0] & ids[1]
    channels = [set(re.findall(r"Channel: (\S+)", "".join(blocks))) for blocks in (first, second)]
    assert len(channels[0]) == len(channels[1]) == 2
    assert not channels[0] & channels[1]
    assert "CallerIDNum: 47970000001\r\n" in first[0]
    assert first[0].endswith("\r\n\r\n")
    times = [at for at, _ in call.again(1)]
    assert times == sorted(times)
    assert times[0] == 0


def test_each_phase_has_a_row_with_the_p99_of_its_rounds():
    rounds = [Times([1.0, 2.0, 3.0], Counter({"200": 3})), Times([1.0, 2.0, 9.0], Counter({"200": 3}))]
    (row,) = sources.rows({"GET alone": rounds})
    assert row[:3] == ["GET alone", "6", "2.0"]
    assert row[4] == "3.0 9.0"
