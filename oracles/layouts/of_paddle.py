"""Paddle: SimpleRNN, LSTM and GRU."""

import paddle

from oracles.layouts.record import HIDDEN, INPUTS, draw, record


def run(name):
  def of_layer(rng, xs):
    layer = getattr(paddle.nn, name)(INPUTS, HIDDEN, time_major=True)
    names = [key for key in layer.state_dict() if key.endswith("_l0")]
    arrays = {key: draw(rng, tuple(layer.state_dict()[key].shape)) for key in names}
    layer.set_state_dict({**layer.state_dict(), **{key: paddle.to_tensor(array) for key, array in arrays.items()}})
    layer.eval()
    return arrays, layer(paddle.to_tensor(xs))[0].numpy()

  return of_layer


if __name__ == "__main__":
  record(
    "paddlepaddle",
    paddle.__version__,
    {"paddle.nn." + name: run(name) for name in ("SimpleRNN", "LSTM", "GRU")},
  )
