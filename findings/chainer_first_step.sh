#!/usr/bin/env bash
# Chainer 7.8.1: StatefulGRU leaves out its recurrent biases at the first step after a reset.
#
# A GRU that starts from a state of 0 still adds the biases of its recurrent maps. Seen with Chainer 7.8.1: after `reset_state`, the first
# step of `links.StatefulGRU` skips the recurrent links with their biases, so a reset is not a state of zeros. With the same weights, the
# first output differs by 0.34 in the example below between a reset and `set_state` with zeros; `links.StatelessGRU` agrees with the
# latter. All three agree while the recurrent biases are 0, as they are at the start of training, and differ once these have been learned.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "setuptools<70" wheel "numpy<1.24" "protobuf<4" six filelock typing_extensions
"$folder/venv/bin/python" -m pip install --quiet --no-deps --no-build-isolation "chainer==7.8.1"
"$folder/venv/bin/python" - <<'PYTHON'
import warnings

warnings.simplefilter("ignore")
import chainer
import numpy as np

print("chainer", chainer.__version__)
rng = np.random.default_rng(0)
stateful, stateless = chainer.links.StatefulGRU(3, 4), chainer.links.StatelessGRU(3, 4)
zeros, x = np.zeros((1, 4), np.float32), rng.normal(size=(1, 3)).astype(np.float32)


def first_steps():
  stateful.reset_state()
  reset = stateful(x).array
  stateful.set_state(chainer.Variable(zeros.copy()))
  return reset, stateful(x).array, stateless(zeros, x).array


found = {}
for name, size in (("recurrent biases of 0", 0.0), ("recurrent biases of 0.5", 0.5)):
  theirs = dict(stateless.namedparams())
  for path, parameter in sorted(stateful.namedparams()):
    parameter.array[...] = size if path.startswith("/U") and path.endswith("/b") else rng.normal(0, 0.5, parameter.shape)
    theirs[path].array[...] = parameter.array
  reset, of_zeros, without = first_steps()
  found[name] = float(np.abs(reset - of_zeros).max())
  print(f"{name}: reset against zeros {found[name]:.3f}, zeros against StatelessGRU {np.abs(of_zeros - without).max():.1e}")
  assert np.allclose(of_zeros, without, atol=1e-6), "the behaviour of StatelessGRU has changed"
assert found["recurrent biases of 0"] < 1e-6 < 0.02 < found["recurrent biases of 0.5"], "the behaviour has changed"
print("a reset is not a state of zeros, as described")
PYTHON
