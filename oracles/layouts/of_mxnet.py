"""MXNet: the layers of gluon."""

import mxnet as mx
import numpy as np

from oracles.layouts.record import HIDDEN, INPUTS, draw, record


def run(name, **options):
  def of_layer(rng, xs):
    layer = getattr(mx.gluon.rnn, name)(HIDDEN, input_size=INPUTS, **options)
    layer.initialize()
    arrays = {}
    for key, parameter in layer.collect_params().items():
      key = key[key.index("l0_") :]
      arrays[key] = draw(rng, parameter.shape)
      parameter.set_data(mx.nd.array(arrays[key]))
    return arrays, layer(mx.nd.array(np.ascontiguousarray(xs))).asnumpy()

  return of_layer


if __name__ == "__main__":
  record(
    "mxnet",
    mx.__version__,
    {
      "mxnet.gluon.rnn.RNN": run("RNN", activation="tanh"),
      "mxnet.gluon.rnn.LSTM": run("LSTM"),
      "mxnet.gluon.rnn.GRU": run("GRU"),
    },
    {"mxnet.gluon.rnn.RNN": ["Its activation is relu by default; it is tanh here."]},
  )
