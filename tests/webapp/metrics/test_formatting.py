"""One rule writes a metric's value, wherever it is shown."""

import math

import pytest

from webapp.metrics.formatting import axis_ticks, format_value


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.123, "share", "12.3 %"),
        (0.0456, "share", "4.56 %"),
        (1.0, "share", "100.0 %"),
        (0.0, "share", "0.00 %"),
        (-0.02, "share", "-2.00 %"),
        (119.94, "seconds", "119.9 s"),
        (150, "seconds", "2.5 min"),
        (12.4, "milliseconds", "12 ms"),
        (72.25, "hours", "72.2 h"),
        (3.14159, "bits", "3.14 bits"),
        (7.25, "characters", "7.2"),
        (3.14159, "titles", "3.14"),
        (1234.5, "titles", "1234"),
        (0.71234, "index", "0.712"),
        (None, "share", "–"),
        (math.nan, "seconds", "–"),
    ],
)
def test_a_value_is_written_with_its_unit(value, unit, text):
    assert format_value(value, unit) == text


@pytest.mark.parametrize(
    ("top", "unit", "labels"),
    [
        (1.0, "share", ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]),
        (0.046, "share", ["0 %", "1 %", "2 %", "3 %", "4 %"]),
        (0.0115, "share", ["0.00 %", "0.25 %", "0.50 %", "0.75 %", "1.00 %"]),
        (600, "seconds", ["0 min", "2 min", "4 min", "6 min", "8 min", "10 min"]),
        (11.5, "seconds", ["0.0 s", "2.5 s", "5.0 s", "7.5 s", "10.0 s"]),
        (230, "milliseconds", ["0 ms", "50 ms", "100 ms", "150 ms", "200 ms"]),
        (0.82, "index", ["0.0", "0.2", "0.4", "0.6", "0.8"]),
    ],
)
def test_an_axis_has_round_ticks_without_needless_decimals(top, unit, labels):
    assert [tick.label for tick in axis_ticks(top, unit)] == labels


def test_ticks_are_where_their_labels_say():
    assert [tick.at for tick in axis_ticks(600, "seconds")] == pytest.approx(
        [0, 120, 240, 360, 480, 600]
    )


@pytest.mark.parametrize("exponent", range(-6, 7))
def test_an_axis_never_has_more_than_six_ticks(exponent):
    for top in (1.0, 1.15, 2.3, 4.99, 9.99):
        ticks = axis_ticks(top * 10.0**exponent, "index")
        assert 2 <= len(ticks) <= 6
        assert ticks[-1].at <= top * 10.0**exponent * (1 + 1e-6)
