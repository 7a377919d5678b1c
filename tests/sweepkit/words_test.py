"""Times and numbers as people write them."""

import pytest

from sweepkit.words import count, duration, number


@pytest.mark.parametrize(
  ("seconds", "text"),
  [
    (0, "0 s"),
    (0.42, "0.4 s"),
    (9.97, "10 s"),
    (59.4, "59 s"),
    (59.6, "1 min"),
    (100, "1 min 40 s"),
    (3599.7, "1 h"),
    (7500, "2 h 5 min"),
    (100000, "27 h 46 min"),
  ],
)
def test_times_in_two_units_at_the_most(seconds, text):
  assert duration(seconds) == text


def test_numbers():
  assert [count(n, "point") for n in (0, 1, 2, 1200)] == ["0 points", "1 point", "2 points", "1 200 points"]
  assert [number(x) for x in (0.123456, -1.5, 1234567, 5210.4, 1.5e-7, 2e9, float("nan"))] == [
    "0.123",
    "-1.5",
    "1 234 567",
    "5 210",
    "1.5e-07",
    "2e+09",
    "–",
  ]
  assert number(252.4, 2) == "252"
