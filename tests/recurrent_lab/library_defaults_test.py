"""Recipes of other libraries have the statistics of closed forms and of the packages' own draws."""

from functools import partial
import json
import math
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from oracles.defaults.agreement import ALLOWED, distances
from oracles.defaults.statistics import summary
import recurrent_lab as rl
from recurrent_lab import interop

GOLDEN = Path(__file__).parent / "golden_defaults"
DRAWN = {
  name: (found, facts["sizes"])
  for facts in (json.loads(path.read_text()) for path in sorted(GOLDEN.glob("*.json")))
  for name, found in facts["classes"].items()
}
# One class of every kind of matrix and of bias; the slow test takes all.
SOME = ("torch.nn.GRU", "keras.layers.LSTM", "brainstate.nn.GRUCell")
INPUTS, H = 40, 60
CUT = 0.8796256610  # the standard deviation of N(0, 1) between -2 and 2
ROOM = "tensorflow.compat.v1.nn.rnn_cell"

# Standard deviations of both kernels, from the packages' documentation, and of the bias beside its constant part.
BY_UNITS = (3 * H) ** -0.5
CLOSED = {
  "torch.nn.LSTM": (BY_UNITS, BY_UNITS, math.sqrt(2) * BY_UNITS),
  "equinox.nn.LSTMCell": (BY_UNITS, BY_UNITS, BY_UNITS),
  "flax.linen.LSTMCell": (INPUTS**-0.5, H**-0.5, 0),
  "flax.nnx.OptimizedLSTMCell": (INPUTS**-0.5, (4 * H) ** -0.5, 0),
  "keras.layers.LSTM": (math.sqrt(2 / (INPUTS + 4 * H)), (4 * H) ** -0.5, 0),
  f"{ROOM}.LSTMCell": (math.sqrt(2 / (INPUTS + 5 * H)), math.sqrt(2 / (INPUTS + 5 * H)), 0),
  "haiku.LSTM": (CUT * (INPUTS + H) ** -0.5, CUT * (INPUTS + H) ** -0.5, 0),
  "chainer.links.LSTM": (INPUTS**-0.5, H**-0.5, 0),
  "keras.layers.GRU": (math.sqrt(2 / (INPUTS + 3 * H)), (3 * H) ** -0.5, 0),
  "haiku.GRU": (INPUTS**-0.5, H**-0.5, 0),
  "brainstate.nn.ValinaRNNCell": (math.sqrt(2 / (INPUTS + 2 * H)), math.sqrt(2 / (INPUTS + 2 * H)), 0),
  "mlx.nn.RNN": (BY_UNITS, BY_UNITS, BY_UNITS),
}


# The others are held by the packages' own draws, some by default and all of them in the slow test.
QUICK = ("torch.nn.LSTM", "keras.layers.LSTM")


def init(name, key, inputs, units):
  """Draws by a recipe, in one compiled program."""
  return jax.jit(partial(rl.init_like(name).init, input_size=inputs, hidden_size=units))(key)


@pytest.mark.parametrize("name", CLOSED)
def test_options_are_the_standard_deviations_of_closed_forms(name):
  options = rl.init_like(name).options(INPUTS, H)
  scaled = (options["input_gain"] * INPUTS**-0.5, options["recurrent_gain"] * H**-0.5, options["bias_scale"])
  assert scaled == pytest.approx(CLOSED[name], rel=1e-6)


@pytest.mark.parametrize(
  "name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in CLOSED]
)
def test_standard_deviations_are_those_of_closed_forms(name, key):
  """Within five standard errors."""
  params = init(name, key, INPUTS, H)
  bias = np.array(params.bias)
  if dict(rl.init_like(name).shift).get("f"):
    bias[H : 2 * H] -= 1
  for values, expected in zip((params.input_kernel, params.recurrent_kernel, bias), CLOSED[name], strict=True):
    error = expected * 5 / math.sqrt(2 * values.size)
    assert abs(np.sqrt(np.mean(np.square(values))) - expected) <= error
    assert abs(np.mean(values)) <= 5 * expected / math.sqrt(values.size)


def orthonormal(rows):
  np.testing.assert_allclose(rows @ rows.T, np.eye(len(rows)), atol=1e-5)


def test_orthogonal_kernels_are_orthogonal_by_gate(key):
  for gate in np.split(init("flax.linen.LSTMCell", key, 6, 8).recurrent_kernel, 4, axis=1):
    orthonormal(gate)


@pytest.mark.slow
def test_orthogonal_kernels_are_orthogonal_as_a_whole(key):
  orthonormal(init("flax.nnx.OptimizedLSTMCell", key, INPUTS, H).recurrent_kernel)
  params = init("brainstate.nn.GRUCell", key, H, H)
  gates, candidate = np.split(np.concatenate(params[:2]), [2 * H], axis=1)
  orthonormal(gates)
  orthonormal(candidate.T)


@pytest.mark.parametrize(
  ("name", "most"),
  [
    pytest.param("torch.nn.GRU", H**-0.5, marks=pytest.mark.slow),
    pytest.param("keras.layers.SimpleRNN", math.sqrt(6 / (INPUTS + H)), marks=pytest.mark.slow),
    pytest.param(f"{ROOM}.GRUCell", math.sqrt(6 / (INPUTS + 2 * H)), marks=pytest.mark.slow),
    ("haiku.VanillaRNN", 2 * INPUTS**-0.5),
  ],
)
def test_weights_end_where_their_distribution_ends(name, most, key):
  kernel = np.abs(init(name, key, INPUTS, H).input_kernel)
  assert 0.98 * most < kernel.max() <= most * (1 + 1e-6)


@pytest.mark.parametrize(
  ("name", "constants"),
  [
    pytest.param("keras.layers.LSTM", (0, 1, 0, 0), marks=pytest.mark.slow),
    (f"{ROOM}.GRUCell", (1, 1, 0)),
    pytest.param("haiku.LSTM", (0, 1, 0, 0), marks=pytest.mark.slow),
    pytest.param("chainer.links.NStepLSTM", (0, 0, 0, 0), marks=pytest.mark.slow),
    pytest.param("flax.linen.SimpleCell", (0,), marks=pytest.mark.slow),
  ],
)
def test_constant_biases(name, constants, key):
  np.testing.assert_array_equal(init(name, key, 3, 4).bias, np.repeat(constants, 4))


@pytest.mark.slow
def test_a_gru_with_two_biases_keeps_the_second_one_of_n_inside_of_the_reset(key):
  """Its r and z have the sum of two uniform numbers, and n has one on either side."""
  params = init("torch.nn.GRU", key, 2, 500)
  most = 500**-0.5
  assert np.abs(params.bias[1000:]).max() <= most
  assert np.abs(params.recurrent_bias).max() <= most
  assert most < np.abs(params.bias[:1000]).max() <= 2 * most
  assert np.any(params.bias[1000:] != params.recurrent_bias)


def of_lab(recipe, inputs, units, draws=24):
  params = jax.jit(jax.vmap(lambda key: recipe.init(key, inputs, units)))(jax.random.split(jax.random.key(1), draws))
  fields = {name: np.asarray(values) for name, values in params._asdict().items()}
  return summary({name: values[i] for name, values in fields.items()} for i in range(draws))


def check_against_package(name, *, others):
  """Asserts that a recipe agrees with the draws of its package, and that none of the other recipes does."""
  found, sizes = DRAWN[name]
  assert max(distances(of_lab(rl.init_like(name), *sizes), found).values()) <= ALLOWED
  for other in others:
    assert max(distances(of_lab(other, *sizes), found).values()) > ALLOWED


@pytest.mark.parametrize("name", SOME)
def test_recipes_agree_with_draws_of_the_packages(name):
  check_against_package(name, others=())


@pytest.mark.slow
@pytest.mark.parametrize("cell", sorted({recipe.cell for recipe in rl.RECIPES.values()}))
def test_recipes_agree_with_their_packages_and_with_no_other(cell):
  """Two recipes of one cell are never so close that the statistics would not tell them apart."""
  alike = [recipe for recipe in dict.fromkeys(rl.RECIPES.values()) if recipe.cell == cell]
  drawn = {recipe: of_lab(recipe, *DRAWN["torch.nn.LSTM"][1], draws=64) for recipe in alike}
  for name in (name for name, recipe in rl.RECIPES.items() if recipe.cell == cell):
    for recipe in alike:
      away = max(distances(drawn[recipe], DRAWN[name][0]).values())
      assert (away <= ALLOWED) == (recipe is rl.init_like(name)), (name, away)


def test_every_class_was_drawn_from_its_package():
  assert set(DRAWN) == set(rl.RECIPES)


@pytest.mark.parametrize("name", SOME)
def test_a_recipe_makes_the_params_of_its_cell(name):
  """A cell with that `init` unrolls, in any floating dtype."""
  recipe = rl.init_like(name)
  cell = rl.get_cell(recipe.cell)._replace(init=recipe.init)

  def run(key, xs):
    params = cell.init(key, 2, 4, dtype=jnp.bfloat16)
    return params, rl.unroll(cell, params, xs)[1]

  params, outputs = jax.eval_shape(run, jax.random.key(0), jax.ShapeDtypeStruct((3, 2), jnp.bfloat16))
  assert type(params) is type(jax.eval_shape(lambda key: rl.get_cell(recipe.cell).init(key, 2, 4), jax.random.key(0)))
  assert outputs.shape == (3, 4)
  assert {leaf.dtype for leaf in params} == {jnp.dtype("bfloat16")}


@pytest.mark.slow
def test_weights_of_one_library_start_a_class_of_another(key):
  """As the guide does it: drawn as Keras draws, exported to torch."""
  drawn = init("keras.layers.LSTM", key, 3, 4)
  arrays = interop.export_weights("torch.nn.LSTM", drawn)
  back = interop.import_weights("torch.nn.LSTM", arrays)
  jax.tree.map(np.testing.assert_array_equal, back, drawn)


@pytest.mark.parametrize(
  ("call", "message"),
  [
    (lambda key: rl.init_like("torch.nn.Lstm"), "Class 'torch.nn.Lstm' is unknown; choose one of torch.nn.LSTM"),
    (lambda key: rl.init_like("torch.nn.LSTM").init(key, 0, 4), "input_size is 0; it must be a positive integer"),
    (lambda key: rl.init_like("torch.nn.LSTM").init(key, 3, 4, int), "parameters must have a floating dtype"),
  ],
)
def test_bad_input_is_named(call, message, key):
  with pytest.raises(ValueError, match=message):
    call(key)


def test_the_guide_lists_the_options_of_every_recipe():
  """Its table for as many inputs as units, to the digits that it shows."""
  page = (Path(__file__).parents[2] / "docs" / "library_defaults.md").read_text()
  rows = [line.strip("| ").split(" | ") for line in page.split("| `recurrent_gain` |")[1].splitlines()[2:] if line]
  listed = {}
  for names, cell, *values in rows[: len(set(rl.RECIPES.values()))]:
    for name in names.replace("`….rnn_cell", f"`{ROOM}").strip("`").split("`, `"):
      listed[rl.init_like(name)] = (cell.strip("`"), *values)
  assert set(listed) == set(rl.RECIPES.values())
  for recipe, (cell, gain, kind, own, bias, forget) in listed.items():
    options = recipe.options(128, 128)
    assert (cell, kind) == (recipe.cell, options["recurrent_init"])
    found = (options["recurrent_gain"], options["input_gain"], options["bias_scale"], options["forget_bias"])
    np.testing.assert_allclose(found, [float(value) for value in (gain, own, bias, forget)], atol=5.1e-4)
