#!/usr/bin/env bash
# flax 0.12.8 and 0.12.12: linen numbers cells in the order in which they are made, which need not be the order in which they run.
#
# In a compact module, `RNN(LSTMCell(4))(RNN(LSTMCell(4))(x))` makes the outer cell first, so that LSTMCell_0 is the upper layer.
# Written over two lines, LSTMCell_0 is the lower one. In `Bidirectional(RNN(LSTMCell(4)), RNN(LSTMCell(4)))` the two are directions
# of one layer, without a sign of it in the names. With as many inputs as units, all three trees have the same names and shapes.
# Seen: the variables of one, given to another, run without a complaint and give other numbers.
set -euo pipefail
for name in "${PYTHON:-}" python3.14 python3.13 python3.12 python3.11 python3; do
  if [ -n "$name" ] && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$name; break; fi
done
[ -n "${python:-}" ] || { echo "Python 3.11 or newer is required."; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "flax>=0.12.8,<=0.12.12"
"$folder/venv/bin/python" - <<'PYTHON'
import flax
from flax import linen as nn
import jax
import jax.numpy as jnp

print("flax", flax.__version__)


class Nested(nn.Module):
  @nn.compact
  def __call__(self, xs):
    return nn.RNN(nn.LSTMCell(4))(nn.RNN(nn.LSTMCell(4))(xs))


class Lines(nn.Module):
  @nn.compact
  def __call__(self, xs):
    xs = nn.RNN(nn.LSTMCell(4))(xs)
    return nn.RNN(nn.LSTMCell(4))(xs)


class Directions(nn.Module):
  @nn.compact
  def __call__(self, xs):
    both = nn.Bidirectional(nn.RNN(nn.LSTMCell(4)), nn.RNN(nn.LSTMCell(4)), merge_fn=jnp.add)
    return both(xs)


xs = jax.random.normal(jax.random.key(0), (1, 5, 4))
nets = (Nested(), Lines(), Directions())
trees = [net.init(jax.random.key(1), xs) for net in nets]
print("cells:", *sorted(trees[0]["params"]))
shapes = [jax.tree.map(jnp.shape, tree) for tree in trees]
assert shapes[0] == shapes[1] == shapes[2], "the behaviour has changed"
outputs = [net.apply(trees[0], xs) for net in nets]
differences = [float(jnp.abs(outputs[0] - other).max()) for other in outputs[1:]]
print("largest difference of the outputs, with the same variables:", *(f"{difference:.3f}" for difference in differences))
assert min(differences) > 1e-3, "the behaviour has changed"
swapped = {"params": {"LSTMCell_0": trees[0]["params"]["LSTMCell_1"], "LSTMCell_1": trees[0]["params"]["LSTMCell_0"]}}
same = float(jnp.abs(outputs[0] - Lines().apply(swapped, xs)).max())
assert same < 1e-6, "the behaviour has changed"
print("with the two cells exchanged, the two ways to write the stack agree, as described")
PYTHON
