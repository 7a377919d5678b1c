"""The start from which the figure of the error surface draws its two descents."""

import numpy as np
import xarray as xr

from analysis.learning import error_surface


def test_the_start_on_the_plain_that_is_thrown_farthest():
  settings = ("ws", "bias")
  gradient = np.array([[7, 0.05], [0.05, 0.05], [0.05, 0.05]])  # the first start is not on the plain
  error = np.array([[0.001, 0.4], [0.3, 0.3], [0.2, 0.2]])
  path = np.zeros((3, 2, 2, 3, 2))  # all end at (0, 0), where the error is small, ...
  path[0, 1, 1, 2] = 2, 1  # ... except for the second start, clipped
  path[:, :, 0, 1, 0] = [[9, 8], [2, 3], [5, 4]]  # how far the plain descents are thrown
  data = xr.Dataset(
    {
      "error": (settings, error),
      "gradient_norm": (settings, gradient),
      "path": ((*settings, "clipping", "update", "coordinate"), path),
    },
    coords={"ws": [0.0, 1.0, 2.0], "bias": [0.0, 1.0], "clipping": ["none", "global_norm"]},
  )
  assert error_surface.choose(data) == {"ws": 2, "bias": 0}
  assert error_surface.choose(data.assign(error=data.error + 1)) is None
