"""Closed forms and predictions to compare measurements with, one file per theory."""

from recurrent_lab.theory.curse_of_memory import sensitivity_variance, squared_gradient, state_variance
from recurrent_lab.theory.gated import cell_path_exponent, critical_gain, zero_state_eigenvalues, zero_state_radius
from recurrent_lab.theory.linear import indrnn_bound, log_transient_growth, pascanu_bounds, transient_growth
from recurrent_lab.theory.mean_field import MeanField, predicted_growth_rate, sample_mean_field
from recurrent_lab.theory.random_biases import biased_critical_gain
from recurrent_lab.theory.random_tanh import (
  driven_critical_gain,
  jacobian_growth,
  largest_exponent,
  mean_exponent,
  mean_field_variance,
  zero_fixed_point_exponent_cdf,
)
from recurrent_lab.theory.rate_network import (
  RateSpectrum,
  rate_exponent_cdf,
  rate_largest_exponent,
  rate_mean_exponent,
  rate_spectrum,
)

__all__ = [
  "MeanField",
  "RateSpectrum",
  "biased_critical_gain",
  "cell_path_exponent",
  "critical_gain",
  "driven_critical_gain",
  "indrnn_bound",
  "jacobian_growth",
  "largest_exponent",
  "log_transient_growth",
  "mean_exponent",
  "mean_field_variance",
  "pascanu_bounds",
  "predicted_growth_rate",
  "rate_exponent_cdf",
  "rate_largest_exponent",
  "rate_mean_exponent",
  "rate_spectrum",
  "sample_mean_field",
  "sensitivity_variance",
  "squared_gradient",
  "state_variance",
  "transient_growth",
  "zero_fixed_point_exponent_cdf",
  "zero_state_eigenvalues",
  "zero_state_radius",
]
