#!/usr/bin/env bash
# Matplotlib 3.11.2: an unclipped line without points takes room at the corner of the figure if it has markers.
#
# Seen with Matplotlib 3.11.2: `axes.plot([], [], marker="s", clip_on=False)` draws nothing. Yet the tight bounding box of the axes
# then reaches to the lower left corner of the figure, however far away the axes are. In a row of three panels the constrained layout
# gives up, with a warning that axes have collapsed to zero. Without a marker, or with the usual clipping, an empty line takes no
# room. So do not plot marks of which there may be none, such as those of values beyond an axis.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "matplotlib==3.11.2"
MPLBACKEND=agg "$folder/venv/bin/python" - <<'PYTHON'
import warnings

import matplotlib
import matplotlib.pyplot as plt


def widths(**look):
  figure, axes = plt.subplots(1, 3, figsize=(7, 3), layout="constrained")
  for panel in axes:
    panel.plot([0, 1], [0, 1])
    if look:
      panel.plot([], [], **look)
  with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    figure.canvas.draw()
  found = [round(float(panel.get_position().width), 3) for panel in axes]
  left = float(axes[2].get_tightbbox().x0)
  plt.close(figure)
  return found, left, ["collapsed to zero" in str(one.message) for one in said]


print("matplotlib", matplotlib.__version__)
plain, beside = widths(), widths(marker="s", linestyle="none", clip_on=False)
print("without the empty line, widths of the panels, left edge of the third, warnings:", *plain)
print("with it:", *beside)
for harmless in ({"clip_on": False}, {"marker": "s", "linestyle": "none"}):
  print(f"with {harmless}:", *widths(**harmless))
  assert widths(**harmless) == plain, "the behaviour has changed"
assert plain[1] > 300 and not plain[2], "the behaviour has changed"
assert beside[1] <= 0 and beside[2] and all(beside[2]), "the behaviour has changed"
print("an empty line takes room, as described")
PYTHON
