"""Measurements that take any cell: Jacobian products, spectra, adjoints, and what follows from them."""

from recurrent_lab.instruments.adjoints import adjoint_log_norms, gradient_by_lag
from recurrent_lab.instruments.attractor import (
  entropy_rate,
  kaplan_yorke_dimension,
  participation_ratio,
  positive_share,
)
from recurrent_lab.instruments.certificates import TraceCertificate, trace_certificate
from recurrent_lab.instruments.covariant import CovariantVectors, covariant_vectors, splitting_angles
from recurrent_lab.instruments.eigenvalues import (
  PrincipalComponents,
  jacobian_eigenvalues,
  kernel_eigenvalues,
  principal_components,
)
from recurrent_lab.instruments.growth import Growth, growth_rate, memory_length
from recurrent_lab.instruments.jacobians import (
  jacobian_product,
  product_log_norms,
  products_by_lag,
  state_blocks,
  state_jacobians,
)
from recurrent_lab.instruments.lyapunov import LyapunovSpectrum, lyapunov_spectrum
from recurrent_lab.instruments.norms import NORMS, ScaledMatrix, log_frobenius_norm, log_spectral_norm
from recurrent_lab.instruments.singular_values import product_log_singular_values
from recurrent_lab.instruments.stationary import FixedPoints, fixed_points

__all__ = [
  "NORMS",
  "CovariantVectors",
  "FixedPoints",
  "Growth",
  "LyapunovSpectrum",
  "PrincipalComponents",
  "ScaledMatrix",
  "TraceCertificate",
  "adjoint_log_norms",
  "covariant_vectors",
  "entropy_rate",
  "fixed_points",
  "gradient_by_lag",
  "growth_rate",
  "jacobian_eigenvalues",
  "jacobian_product",
  "kaplan_yorke_dimension",
  "kernel_eigenvalues",
  "log_frobenius_norm",
  "log_spectral_norm",
  "lyapunov_spectrum",
  "memory_length",
  "participation_ratio",
  "positive_share",
  "principal_components",
  "product_log_norms",
  "product_log_singular_values",
  "products_by_lag",
  "splitting_angles",
  "state_blocks",
  "state_jacobians",
  "trace_certificate",
]
