"""tanh and its derivative, which is 1 only at 0 and falls like 4 e^{-2|a|}."""

import sys

from matplotlib.figure import Figure
import numpy as np
import xarray as xr

from analysis.figure import Datasets, FigureSpec, main
from analysis.numbers import TableSpec
from analysis.style import PAGE, new_figure
from analysis.wording import short


def naive_log_slope(a: np.ndarray) -> np.ndarray:
  """Returns ln(1 − tanh² a) in float32, with the tanh that the cells use."""
  import jax.numpy as jnp

  from recurrent_lab.activations import ACTIVATIONS

  value = np.asarray(ACTIVATIONS["tanh"].function(jnp.asarray(a, jnp.float32)))
  with np.errstate(divide="ignore"):
    return np.log(1 - value**2)


def draw(datasets: Datasets) -> Figure:
  import jax.numpy as jnp

  from recurrent_lab.activations import ACTIVATIONS

  del datasets  # closed forms only
  activity = lambda a: ACTIVATIONS["tanh"].activity(jnp.asarray(a, jnp.float32))
  figure, (axes,) = new_figure(PAGE, 2.2, 1, 2)
  a = np.linspace(-4, 4, 401)
  axes[0].plot(a, activity(a).value, color="#0072B2", label="tanh $a$")
  axes[0].plot(a, np.exp(activity(a).log_slope), color="#D55E00", linestyle="--", label="tanh′ $a$ = sech² $a$")
  axes[0].axhline(0, color="0.3", linewidth=0.6)
  axes[0].set_title("value and slope", loc="left")
  axes[0].legend(loc="lower right")
  a = np.linspace(-25, 25, 401)
  naive = naive_log_slope(a)
  axes[1].plot(a, activity(a).log_slope, color="#D55E00", linestyle="--", label="ln sech² $a$")
  axes[1].plot(
    a, np.where(np.isfinite(naive), naive, np.nan), color="black", linewidth=0.8, label="ln(1 − tanh² $a$), float32"
  )
  lost = a[~np.isfinite(naive)]
  if lost.size:
    ends = np.array([lost[lost < 0].max(), lost[lost > 0].min()])
    axes[1].plot(
      ends, np.interp(ends, a, activity(a).log_slope), "kx", markersize=5, label="beyond: 1 − tanh² $a$ is 0"
    )
  axes[1].set_title("log slope", loc="left")
  axes[1].legend(loc="lower center")
  for panel in axes:
    panel.set_xlabel("pre-activation $a$")
  axes[0].set_ylabel("value")
  axes[1].set_ylabel("log slope (nats)")
  return figure


def numbers(datasets: Datasets) -> xr.Dataset:
  import jax.numpy as jnp

  from recurrent_lab.activations import ACTIVATIONS

  del datasets  # closed forms only
  a = np.linspace(-25, 25, 1001)
  exact = ACTIVATIONS["tanh"].activity(jnp.asarray(a, jnp.float32))
  values = {"tanh": exact.value, "log_slope": exact.log_slope, "naive_log_slope": naive_log_slope(a)}
  return xr.Dataset({name: ("a", np.asarray(column)) for name, column in values.items()}, coords={"a": a})


def finding(shown: xr.Dataset) -> str:
  is_lost = np.isneginf(shown.naive_log_slope)
  top, foot = (short(float(value)) for value in (np.exp(shown.log_slope.sel(a=0)), shown.log_slope[-1]))
  lost = f"is 0 from |a| = {short(float(np.abs(shown.a.where(is_lost)).min()))} on" if is_lost.any() else "is never 0"
  return (
    f"The slope of tanh is {top} at a = 0 and e^({foot}) at a = {float(shown.a[-1]):g}; in float32 1 − tanh² a {lost}."
  )


FIGURE = FigureSpec(
  name="tanh_slope",
  reads=(),
  caption=__doc__,
  draw=draw,
  numbers=numbers,
  finding=finding,
  tables={
    "tanh": TableSpec("tanh a"),
    "log_slope": TableSpec("ln sech² a (nats)"),
    "naive_log_slope": TableSpec("ln (1 − tanh² a) in float32 (nats)"),
  },
  order=140,
  title="How fast does the slope of tanh fall?",
)

if __name__ == "__main__":
  sys.exit(main(FIGURE))
