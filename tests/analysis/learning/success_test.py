"""Success rates against Wilson's closed form."""

import numpy as np
import xarray as xr

from analysis.learning import success


def test_success_rate_is_wilsons(rng):
  solved = (rng.random((9, 4)) < 0.4).astype(float)
  solved[:, 0] = 0
  solved[:, 1] = 1
  solved[5:, 2] = np.nan  # four seeds were not run
  count, share = np.array([9, 9, 5, 9]), np.nanmean(solved, 0)
  z = 1.959963984540054
  centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
  half = z / (1 + z**2 / count) * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
  band = success.success_rate(xr.DataArray(solved, dims=("seed", "x")))
  np.testing.assert_allclose(band, (share, centre - half, centre + half), atol=1e-12)
  np.testing.assert_array_equal(success.success_rate(xr.DataArray([np.nan, np.nan], dims="seed")), [np.nan] * 3)
