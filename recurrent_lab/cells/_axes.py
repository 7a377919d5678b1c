"""The settings that are axes of results from before results said so themselves (the entry point `sweepkit.axes`)."""

from collections.abc import Mapping, Sequence

from recurrent_lab.cells import CELLS

# Setting -> the order of its values, if they are names.
AXES: Mapping[str, Sequence[str]] = {
  "cell": tuple(CELLS),
  **dict.fromkeys(("ws", "input_scale", "bias_scale", "bias", "forget_bias"), ()),
}
