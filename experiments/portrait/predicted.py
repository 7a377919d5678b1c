"""The growth rate that the mean field predicts, in place of a measured one.

No net is simulated: the setting `hidden_size` is the number of sampled units.
"""

from collections.abc import Mapping

from jaxtyping import Array

from experiments.portrait.nets import cell_of, check_options
from experiments.portrait.settings import SETTINGS, Net
from recurrent_lab.options import shared_options
from recurrent_lab.theory import predicted_growth_rate
from sweepkit import Measure, Point, Quantity
from sweepkit.points import read


def predict(static: Point, key: Array, values: Mapping[str, Array]) -> dict[str, Array]:
  """The growth rate of a large net, sampled from one neuron's process."""
  net, cell = read(Net, static), cell_of(static)
  options = {"forget_bias": values["forget_bias"], "bias_scale": values["bias_scale"]}
  options = {name: value for name, value in options.items() if name in shared_options(cell)}
  rate = predicted_growth_rate(
    cell,
    key,
    steps=net.seq_len,
    samples=net.hidden_size,
    recurrent_gain=values["ws"],
    input_scale=values["input_scale"],
    **options,
  )
  return {"growth_rate": rate}


PREDICTED = Measure(
  run=predict,
  settings=SETTINGS,
  check=check_options,
  dims={"growth_rate": ()},
  headline={"growth_rate": "nats per step"},
  quantities={"growth_rate": Quantity("growth rate predicted by the mean field", "nats per step")},
)
