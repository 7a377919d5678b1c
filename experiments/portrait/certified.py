"""The rule by which a measured exponent counts as chaos."""

from jaxtyping import Array, Bool, Float

ERRORS = 5  # standard errors
GROWTH = 10  # nats: a limit cycle has λ₁ = 0, and the tangents of its window may still grow by a bounded factor


def is_positive(
  exponent: Float[Array, "*nets"], standard_error: Float[Array, "*nets"], steps: int
) -> Bool[Array, "*nets"]:
  """Returns True where λ₁ is above 5 standard errors and the tangent has grown by more than e^10 over all `steps` counted."""
  return (exponent > ERRORS * standard_error) & (exponent * steps > GROWTH)
