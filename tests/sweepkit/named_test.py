"""Objects of the user in a sweep: their names, their settings, and their code."""

from collections.abc import Mapping
import inspect

import jax
import numpy as np
import pytest

from sweepkit import Experiment, Measure, Named, Setting, UsageError, load_results, plan, sweep
from sweepkit.settings import FINITE
from sweepkit.store import block_paths
from tests.support import chaos

MODULE = """
def tent(r, x, width=0.5):
  return r * x * width

def steep(r, x, width=2.0, height=1.0):
  return r * x * width + height

def other(r, x, width=3):
  return width

number = 3
"""


def complaint(value):
  return "" if inspect.isfunction(value) else "it is not a function."


TABLE = Named(chaos.MAPS, "map", complaint)


def options(name):
  return (
    {}
    if name in chaos.MAPS
    else {
      own: Setting(
        type(one.default), str(one.default), "a width", *FINITE, traced=type(one.default) is float, is_axis=True
      )
      for own, one in inspect.signature(TABLE[name]).parameters.items()
      if one.default is not one.empty
    }
  )


def value(static, key, values: Mapping[str, jax.Array]):
  own = {name: values.get(name, static.get(name)) for name in options(str(static["map"]))}
  return {"value": TABLE[str(static["map"])](values["r"], 0.25, **own) + 0 * jax.random.normal(key)}


SETTINGS = {
  "map": Setting(
    str, "sine", "the map", TABLE.__contains__, TABLE.allowed, table=TABLE, canonical=TABLE.find, brings=options
  ),
  "r": Setting(float, "1", "height", *FINITE, traced=True, is_axis=True),
}
EXPERIMENT = Experiment("of_maps", "Maps.", Measure(value, settings=SETTINGS, dims={"value": ()}), seeds=1)


def refused(*flags):
  """The sentence for a launch of a program that knows no object yet."""
  TABLE._own.clear()
  with pytest.raises(UsageError) as error:
    plan.parse(EXPERIMENT, flags)
  return str(error.value)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, request):
  """The folder of a user, with a module of a name of its own for each test."""
  name = f"maps_{abs(hash(request.node.name))}"
  (tmp_path / f"{name}.py").write_text(MODULE)
  monkeypatch.chdir(tmp_path)
  monkeypatch.setattr(TABLE, "_own", {})
  return name


def test_an_object_of_the_current_folder_has_its_name_and_its_settings(folder, capsys):
  data = sweep(EXPERIMENT, map=f"{folder}:tent,sine", r=[1, 2], width="1:2:3")
  assert data["map"].values.tolist() == ["sine", "tent"]
  tent = data.value.sel(map="tent").squeeze().transpose("r", "width")
  np.testing.assert_allclose(tent.sel(width=[1, 1.5, 2]), 0.25 * np.outer([1, 2], [1, 1.5, 2]))
  # The other map has no width; it is shown once, at the default of the setting.
  sine = data.value.sel(map="sine").squeeze()
  np.testing.assert_allclose(sine.sel(width=0.5), np.array([1, 2]) / 4 * np.sin(np.pi / 4), rtol=1e-6)
  assert int(sine.notnull().sum()) == 2
  assert data.attrs["present"] == data.attrs["planned"] == 2 * 3 + 2
  assert data.width.attrs["default"] == "0.5"
  capsys.readouterr()
  sweep(EXPERIMENT, map=f"{folder}:tent,sine", r=[1, 2], width="1:2:3")
  assert "0 points to compute, 8 already done" in capsys.readouterr().err


def test_a_point_has_only_the_settings_of_its_object(folder):
  points = plan.parse(EXPERIMENT, [f"--map=sine,{folder}:tent,{folder}:steep", "--width=1,4"]).points
  assert [dict(point.without("seed", "x64", "r")) for point in points] == [
    {"map": "sine"},
    {"map": "tent", "width": 1.0},
    {"map": "tent", "width": 4.0},
    {"map": "steep", "width": 1.0, "height": 1.0},
    {"map": "steep", "width": 4.0, "height": 1.0},
  ]
  widths = [point["width"] for point in plan.parse(EXPERIMENT, [f"--map={folder}:tent,{folder}:steep"]).points]
  assert widths == [0.5, 2.0]  # each its own default


def test_the_code_of_an_object_belongs_to_its_points(folder, tmp_path, capsys):
  half = lambda r, x, width=0.5: r * x * width
  first = sweep(EXPERIMENT, map={"tent": half})
  again = sweep(EXPERIMENT, map={"tent": lambda r, x, width=0.5: r * x * width * 1})
  assert "The code has changed: 1 stored point came from" in capsys.readouterr().err
  assert first.code.item() != again.code.item()
  assert len(block_paths(tmp_path / "results" / "of_maps")) == 1
  # Where it is defined makes no difference.
  moved = sweep(EXPERIMENT, map={"tent": half})
  assert moved.code.item() == first.code.item()


def test_points_from_before_an_option_was_there_give_way(folder):
  sweep(EXPERIMENT, map={"tent": lambda r, x: r * x})
  data = sweep(EXPERIMENT, map={"tent": lambda r, x, width=2.0: r * x * width}, width=[2, 3])
  np.testing.assert_allclose(data.value.squeeze().sel(width=[2, 3]), [0.5, 0.75])
  assert load_results("results/of_maps", width=2).value.item() == 0.5


def test_objects_of_a_program_have_the_names_under_which_they_are_known(folder):
  assert TABLE.text(chaos.sine) == "sine"
  assert TABLE.text(["linear", chaos.logistic]) == "linear,logistic"
  assert TABLE.text(complaint) == f"{__name__}:complaint"
  with pytest.raises(UsageError, match="--map: This map has no name at the top level of a module; give it one: "):
    sweep(EXPERIMENT, map=lambda r, x: r)
  with pytest.raises(UsageError, match="--map: 3 is not a map: it is not a function"):
    sweep(EXPERIMENT, map=3)


def test_what_cannot_be_used_is_one_sentence(folder, tmp_path):
  (tmp_path / f"broken_{folder}.py").write_text("1 / 0")
  (tmp_path / f"taken_{folder}.py").write_text("def tent(r, x, out=1.0): return r\ndef wide(r, x, width=1): return r")
  assert refused("--map=cosine") == (
    "--map: 'cosine' is not allowed; it must be one of logistic, sine, linear, or module:name for a map of your own."
  )
  assert refused("--map=no_such:tent") == (
    f"--map: there is no module no_such in {tmp_path} or where Python looks for modules."
  )
  assert refused(f"--map={folder}:tend") == f"--map: '{folder}:tend' names nothing: the module {folder} has no tend."
  assert refused(f"--map={folder}:number") == f"--map: {folder}:number is not a map: it is not a function."
  assert refused(f"--map=broken_{folder}:tent").endswith(
    f"ZeroDivisionError in line 1 of {tmp_path}/broken_{folder}.py: division by zero."
  )
  assert refused(f"--map=sine={folder}:tent") == (
    f"--map: 'sine' is a map that is there already; name yours my_sine, as in my_sine={folder}:tent."
  )
  assert refused(f"--map=taken_{folder}:tent").startswith(
    "--map: 'tent' has an option 'out', which is the name of another flag"
  )
  assert "already; name the other my_tent" in refused(f"--map={folder}:tent,taken_{folder}:tent")
  assert "options 'width' of different types" in refused(f"--map={folder}:steep,taken_{folder}:wide")
  assert refused(f"--map={folder}:tent", "--width=wide") == "--width: 'wide' is not a number."
  assert "The values of --map bring width. --help shows all flags." in refused(f"--map={folder}:tent", "--depth=1")
  assert "The values of --map bring no setting of their own." in refused("--depth=1")
