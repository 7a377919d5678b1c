"""(e) tanh and its derivative: 1 only at 0, and falling like 4 e^{-2|a|}."""

import sys

import jax.numpy as jnp
from matplotlib.figure import Figure
import numpy as np

from analysis.figure import Datasets, Plot, main
from analysis.style import PAGE, new_figure
from recurrent_lab.activations import ACTIVATIONS


def draw(datasets: Datasets) -> Figure:
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
  with np.errstate(divide="ignore"):
    naive = np.log(1 - np.tanh(a.astype(np.float32)) ** 2)
  axes[1].plot(a, activity(a).log_slope, color="#D55E00", linestyle="--", label="ln sech² $a$")
  axes[1].plot(
    a, np.where(np.isfinite(naive), naive, np.nan), color="black", linewidth=0.8, label="ln(1 − tanh² $a$), float32"
  )
  axes[1].set_title("log slope", loc="left")
  axes[1].legend(loc="lower center")
  for panel in axes:
    panel.set_xlabel("pre-activation $a$")
  axes[1].set_ylabel("nats")
  return figure


PLOT = Plot("tanh_slope", (), draw)

if __name__ == "__main__":
  sys.exit(main(PLOT))
