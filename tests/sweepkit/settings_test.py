"""Text of flags becomes values, and numbers of a program become the decimals that were meant."""

import pytest

from sweepkit.settings import parse_axis
from tests.support.nets import SETTINGS


@pytest.mark.parametrize(
  ("name", "text", "values"),
  [
    ("ws", "0.5,1,-1.5", (0.5, 1.0, -1.5)),
    ("ws", "0:1:5", (0.0, 0.25, 0.5, 0.75, 1.0)),
    ("ws", "-2:6:3", (-2.0, 2.0, 6.0)),
    ("input_scale", "0.1:10:log:3", (0.1, 1.0, 10.0)),
    ("ws", "0.1:0.5:5", (0.1, 0.2, 0.3, 0.4, 0.5)),
    ("ws", "1:2:2,5", (1.0, 2.0, 5.0)),
    ("ws", "0.1:0.7:7", (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)),
    ("ws", "-0.3:0.3:7", (-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3)),
    ("ws", "-1.1:2.2:4", (-1.1, 0.0, 1.1, 2.2)),
    ("ws", "-0.3:0.6:10", (-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)),
    ("ws", "0.1234567890123456,0.30000000000000004", (0.1234567890123456, 0.30000000000000004)),
    ("ws", "1,1.0,1e0,0,-0.0,0.5,0.50,0:1:3", (1.0, 0.0, 0.5)),
    ("hidden_size", "4,4.0,40e-1,9007199254740993", (4, 9007199254740993)),
    ("cells", "gru,rnn,gru", ("gru", "rnn")),
    ("hidden_size", "16:64:log:3", (16, 32, 64)),
    ("cells", "rnn, gru", ("rnn", "gru")),
  ],
)
def test_lists_and_ranges(name, text, values):
  found = parse_axis(name, text, SETTINGS)
  assert found == values
  assert [repr(value) for value in found] == [repr(value) for value in values]  # 0.0 is no -0.0, and 4 no 4.0


@pytest.mark.parametrize(
  ("name", "text", "message"),
  [
    ("ws", "", "has an empty value"),
    ("ws", "1,,2", "has an empty value"),
    ("ws", "one", "'one' is not a number"),
    ("ws", "[0.5, 1]", r"'\[0.5, 1\]' has brackets; a list is 0.5, 1"),
    ("ws", "nan", "nan is not allowed; it must be a finite number"),
    ("ws", "2:1:5", "'2:1:5' is an empty or reversed range; its start must be below its stop"),
    ("ws", "1:1:5", "empty or reversed"),
    ("ws", "1:2:1", "has 1 values; a range has 2 or more"),
    ("ws", "1:2", "is not a range; a range is start:stop:count or start:stop:log:count"),
    ("ws", "1:2:lin:5", "is not a range"),
    ("ws", "0:1:0.1", "'0:1:0.1' ends with 0.1, where the number of values belongs and not a step, as in 0:1:11"),
    ("ws", "0.1:0.7:0.1", "as in 0.1:0.7:7"),
    ("ws", "0:1:0.3", "'0:1:0.3' ends with 0.3, where the number of values belongs and not a step"),
    ("ws", "1:2:log:0.5", "ends with 0.5, where the number of values belongs"),
    ("ws", "0:inf:0.5", "ends with 0.5, where the number of values belongs"),
    ("input_scale", "0.1:10:log", "'0.1:10:log' does not say how many values it has; 0.1:10:log:12 has 12"),
    ("ws", "1:inf:5", "has an end that is not finite"),
    ("input_scale", "0:1:log:5", "a logarithmic range starts above 0"),
    ("input_scale", "-1", "-1.0 is not allowed; it must be a finite number of 0 or more"),
    ("hidden_size", "4.00000000000000000001", "is not a whole number"),
    ("hidden_size", "1e-999999999", "is not a whole number"),
    ("hidden_size", "-4", "-4 is not allowed; it must be a whole number of 1 or more"),
    ("hidden_size", "2.5", "'2.5' is not a whole number"),
    ("hidden_size", "1:2:3", "'1.5' is not a whole number"),
    ("cells", "rnn,lstn", "'lstn' is not allowed; it must be one of rnn, "),
    ("seq_len", "3", "3 is not allowed; it must be a whole number of 4 or more"),
  ],
)
def test_bad_values_are_named(name, text, message):
  with pytest.raises(ValueError, match=message):
    parse_axis(name, text, SETTINGS)
