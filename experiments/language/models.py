"""Language models as training runs, and what is measured on the trained nets along held-out text.

    first_nats                the loss before training; ln V where the net knows nothing
    test_nats                 mean of -ln P(token | its window so far) over the test text; exp of it is the perplexity
    history_nats [history]    the same over some tokens, each given only the last so many tokens
    log_adjoint_last [lag]    ln ‖∂L_T/∂S_{T-l}‖, L_T the loss of a window's last token, mean over windows
    log_product [lag]         ln (‖J_T … J_{T-l+1}‖_F / √n) along the same windows, mean over them; 0 at lag 0

A net starts in its initial state at the beginning of every window and history, in training as here.
"""

from collections.abc import Mapping, Sequence
import dataclasses
from functools import partial
from pathlib import Path
from typing import Any

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array
import numpy as np
import optax

from experiments.language import sources
from experiments.language.settings import LANGUAGE_SETTINGS, LanguageSettings
from experiments.training import After, build, followed_by
from experiments.training.measures import train_and_measure
import recurrent_lab as rl
from recurrent_lab import training
from sweepkit import Point, Quantity

CALL = 32  # rows in one call
HISTORY_TOKENS = 2048  # tokens that are predicted from histories of every length
LAG_WINDOWS = 32


def windows(stream: np.ndarray, window: int) -> np.ndarray:
  """The windows of a text that follow each other, `[W, window + 1]`: each token but the first is predicted once.

  A rest that fills no window is left out.
  """
  first = np.arange((len(stream) - 1) // window) * window
  return stream[first[:, None] + np.arange(window + 1)]


def histories(window: int) -> list[int]:
  """1, 2, 4, …, and the whole window."""
  return sorted({2**i for i in range(window.bit_length())} | {window})


@partial(jax.jit, static_argnums=(0, 3))
def token_losses(cell: rl.Cell, params: rl.WithReadoutParams, tokens: Array, count: int) -> Array:
  """-ln P of the last `count` tokens `[N, count]` of every row `[N, n + 1]`, given those before them in it, in nats."""

  def some(rows: Array) -> Array:
    _, outputs = rl.unroll(cell, *training.lookup(params.cell, rows[:, :-1].T))
    logits = rl.readout(params.readout, outputs[-count:])
    return optax.softmax_cross_entropy_with_integer_labels(logits, rows[:, -count:].T).T

  missing = -len(tokens) % CALL
  rows = jnp.pad(tokens, ((0, missing), (0, 0))).reshape(-1, CALL, tokens.shape[1])
  return lax.map(some, rows).reshape(-1, count)[: len(tokens)]


@partial(jax.jit, static_argnums=0)
def lag_profiles(cell: rl.Cell, params: rl.WithReadoutParams, tokens: Array) -> tuple[Array, Array]:
  """(log_adjoint_last, log_product), each `[n + 1]`, means over rows `[N, n + 1]`."""

  def one(row: Array) -> tuple[Array, Array]:
    net, xs = training.lookup(params.cell, row[:-1])
    loss = lambda outputs: -jax.nn.log_softmax(rl.readout(params.readout, outputs[-1]))[row[-1]]
    products = rl.product_log_norms(cell, net, xs, norm="frobenius")
    return rl.adjoint_log_norms(loss, cell, net, xs)[::-1], jnp.concatenate([jnp.zeros_like(products[:1]), products])

  adjoint, product = lax.map(one, tokens)
  return jnp.mean(adjoint, axis=0), jnp.mean(product, axis=0)


def measure_language(settings: LanguageSettings) -> After:
  """Measures what the docstring of this file lists."""
  cell, window = build(settings).cell, settings.length
  stream = settings.load().test
  rows = windows(stream, window)
  spread = np.linspace(window, len(stream) - 1, min(HISTORY_TOKENS, len(stream) - window)).astype(int)
  seen = [stream[spread[:, None] + np.arange(-history, 1)] for history in histories(window)]
  lag_rows = rows[np.linspace(0, len(rows) - 1, min(LAG_WINDOWS, len(rows))).astype(int)]

  def measure(before: Any, after: Any) -> dict[str, Any]:
    adjoint, product = lag_profiles(cell, after, lag_rows)
    return {
      "first_nats": np.mean(token_losses(cell, before, rows[:CALL], window)),
      "test_nats": np.asarray(token_losses(cell, after, rows, window)).mean(dtype=np.float64),
      "history_nats": np.array([np.mean(token_losses(cell, after, tokens, 1)) for tokens in seen]),
      "log_adjoint_last": np.asarray(adjoint),
      "log_product": np.asarray(product),
    }

  return measure


_TRAINED = followed_by(
  measure_language,
  kind=LanguageSettings,
  dims={
    "first_nats": (),
    "test_nats": (),
    "history_nats": ("history",),
    "log_adjoint_last": ("lag",),
    "log_product": ("lag",),
  },
  coords=lambda point: {"history": histories(int(point["length"]))},
  settings=LANGUAGE_SETTINGS,
  headline={"test_nats": "nats per token of the test text", "first_nats": "nats per token, untrained"},
  quantities={
    "first_nats": Quantity("loss before training", "nats per token"),
    "test_nats": Quantity("loss on the test text", "nats per token"),
    "history_nats": Quantity("loss on the test text, given the last tokens alone", "nats per token"),
    "log_adjoint_last": Quantity("ln of the norm of the adjoint of the last token's loss", "nats"),
    "log_product": Quantity("ln of the Frobenius norm of the Jacobian product, over √n", "nats"),
    "history": Quantity("tokens that are given", "tokens"),
  },
)


def _train(
  kind: type[LanguageSettings], points: Sequence[Point], folder: Path, checkpoint_seconds: float
) -> Mapping[str, np.ndarray]:
  arrays = train_and_measure(kind, measure_language, points, folder, checkpoint_seconds)
  sources.note(str(points[0]["corpus"]), folder)
  return arrays


LANGUAGE = dataclasses.replace(_TRAINED, run=partial(_train, LanguageSettings))
