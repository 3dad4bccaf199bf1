import json
import math

import pytest

from unstuck.record import jsonl
from unstuck.record.writer import Writer

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    "values",
    [
        [],
        [0.1],
        [1 / 3, 2 / 3, 1e-30, 123456789.0],
        [0.02] * 5,
        [None, None],
        [None, 0.5, None],
        [1.0, NAN, 2.0],
        [1.0, INF, -INF],
        [NAN] * 3,
        [0, 1, 2],
    ],
    ids=str,
)
def test_numbers_are_written_as_encode_would(values):
    assert json.loads(jsonl.numbers(values)) == jsonl.encode(values)


def test_a_form_says_how_finite_numbers_are_written():
    assert jsonl.numbers([1.23456789, 1000000.5], "%.4f") == "[1.2346,1000000.5000]"
    assert jsonl.numbers([12345678, 12345679], "%d") == "[12345678,12345679]"


def test_columns_come_back_beside_the_other_values(tmp_path):
    writer = Writer(tmp_path, 0)
    writer.write_columns("pulse", {"loss": jsonl.numbers([1.0, NAN, None])}, optimizer=0)
    writer.close()
    (record,) = jsonl.read(writer.path)
    assert record["kind"] == "pulse"
    assert record["optimizer"] == 0
    assert record["loss"][0] == 1.0
    assert math.isnan(record["loss"][1])
    assert record["loss"][2] is None
