"""ncnn: RNN, LSTM and GRU layers, from a model that is written here. Each array follows four bytes that say it is float32."""

from pathlib import Path
import tempfile

import ncnn
import numpy as np

from oracles.layouts.record import BATCH, HIDDEN, INPUTS, draw, record

PARAM = """7767517
2 2
Input data 0 1 xs
{name} layer 1 1 xs hs 0={hidden} 1={size} 2=0
"""


def run(name, gates, rows):
  def of_layer(rng, xs):
    arrays = {
      "weight_xc_data": draw(rng, (1, gates * HIDDEN, INPUTS)),
      "bias_c_data": draw(rng, (1, rows * HIDDEN)),
      "weight_hc_data": draw(rng, (1, gates * HIDDEN, HIDDEN)),
    }
    with tempfile.TemporaryDirectory() as folder:
      param, model = Path(folder) / "net.param", Path(folder) / "net.bin"
      param.write_text(PARAM.format(name=name, hidden=HIDDEN, size=arrays["weight_xc_data"].size))
      model.write_bytes(b"".join(bytes(4) + array.tobytes() for array in arrays.values()))
      net = ncnn.Net()
      net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
      net.opt.use_bf16_storage = False
      assert net.load_param(str(param)) == 0
      assert net.load_model(str(model)) == 0
      outputs = []
      for j in range(BATCH):
        extractor = net.create_extractor()
        extractor.input("xs", ncnn.Mat(np.ascontiguousarray(xs[:, j])).clone())
        outputs.append(np.array(extractor.extract("hs")[1]))
      return arrays, np.stack(outputs, axis=1)

  return of_layer


if __name__ == "__main__":
  record(
    "ncnn",
    ncnn.__version__,
    {"ncnn.RNN": run("RNN", 1, 1), "ncnn.LSTM": run("LSTM", 4, 4), "ncnn.GRU": run("GRU", 3, 4)},
  )
