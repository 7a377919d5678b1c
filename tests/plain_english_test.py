"""The check of plain English finds each kind of breach and leaves good sentences alone."""

import pytest

from docs.plain_english.__main__ import ROOT, breaches, files, main
from docs.plain_english.prose import Passage, passages
from docs.plain_english.rules import check, masked, sentences

LONG = "A sentence that goes on and on " + "and adds one more thought that nobody needs " * 4

# (kind, bad, good) by rule.
OPENINGS = [
  ("docstring", "What a launch does about damage.", "Repairs damage before a launch."),
  ("docstring", "Of one cell the index of the least gain.", "Index of the least gain of one cell."),
  ("docstring", "Whether the point is stored.", "Returns True if the point is stored."),
  ("docstring", "Which cells learn to add?", "Trains cells to add."),
  ("docstring", "Likewise for the cotangents.", "`step` of a cell."),
  ("module", "How far a gradient reaches.", "How far does a gradient reach?"),
  ("comment", "Of the power iteration; more are dearer.", "When this fails, the step is halved."),
  ("comment", "Of the power iteration.", "Steps of the power iteration."),
  ("comment", "Whoever waits is stopped.", "Idle contenders are paused."),
  ("help", "of the learning rate over the updates", "decay of the learning rate over the updates"),
]
UNITS = [
  ("docstring", "Growth rate in nats a step.", "Growth rate in nats per step."),
  ("guide", "It computes 1000 points a second on CPU.", "It computes 1000 points per second on CPU."),
  ("comment", "measured: 3 ms a step", "measured: 3 ms per step; it takes a step at a time"),
  (
    "guide",
    "Results are one file a block.",
    "A cell takes a step. Training needs a second pass, and one of two needs a second.",
  ),
  (
    "help",
    "Flags from a file, one flag a line.",
    "Flags from a file, one flag per line, 0 or a block, 1 where a step is real.",
  ),
]
LENGTHS = [
  ("guide", LONG + ".", LONG.replace("and adds one more", ". Adds one more") + "."),
  ("docstring", "The sum " + "of the sum " * 10 + "is 1.", "The sum of the sum. The sum " + "of the sum " * 9 + "."),
  (
    "error",
    "… is given, " * 18 + "so nothing is done.",
    "`a long span of code, " + "with words " * 50 + "` is one word.",
  ),
  (
    "comment",
    "a thing, " * 20,
    "The rate "
    + "(Pascanu et al., 2013, and many other names that are part of a source, section 2, p. 3) " * 4
    + "is 1.",
  ),
  ("guide", "one word, " * 20, "1.5 2.5 3.5 " * 20),
]
WORDING = [
  ("guide", "Damaged blocks are made anew.", "Damaged blocks are recomputed."),
  ("error", "Remove … to start anew.", "Remove … to start again."),
  ("docstring", "A run is gone on with.", "Resumes a run."),
  ("comment", "two threads wait for ever", "two threads wait forever"),
  ("help", "Number of processes, likewise.", "Number of processes. Needed with --distributed."),
  ("docstring", "Versions, devices and the like.", "Versions, devices and times. A gate like the one above."),
  ("comment", "others survive when one process dies", "A relu unit dies. Others survive when one process exits."),
  ("comment", "which takes nobody along", "which leaves the others running"),
  ("guide", "Padding makes no difference, to gradients neither.", "Padding affects neither outputs nor gradients."),
  ("guide", "Why it is so: the question why networks forget.", "This asks why networks forget."),
  ("docstring", "Everyone goes back.", "Restores the original order."),
  ("error", "--out: … is no folder.", "--out: … is not a folder, and there is no other."),
  ("guide", "All are equal but for rounding.", "All are equal, but for W_s > 1 they differ."),
  ("help", "Tokens to write at the most.", "Tokens to write, at most."),
  ("guide", "It takes some 20 minutes.", 'It takes about 20 minutes, or prints "made anew" and `for ever`.'),
]
CASES = [
  (rule, *case)
  for rule, cases in [("opening", OPENINGS), ("units", UNITS), ("length", LENGTHS), ("wording", WORDING)]
  for case in cases
]


def rules(kind, text):
  return {rule.split(":")[0] for rule, _ in check(Passage(1, kind, text))}


@pytest.mark.parametrize(("rule", "kind", "bad", "good"), CASES, ids=[case[2][:30] for case in CASES])
def test_a_bad_sentence_is_found_and_a_good_one_is_not(rule, kind, bad, good):
  assert rule in rules(kind, bad)
  assert rule not in rules(kind, good)


def test_a_summary_has_at_most_two_lines():
  assert [rule for rule, _ in check(Passage(1, "docstring", "A sum.", height=3))] == ["summary: 3 lines, at most 2"]
  assert not [*check(Passage(1, "docstring", "A sum.", height=2))]


@pytest.mark.parametrize(
  ("text", "count"),
  [
    ("Pascanu et al. (2013), e.g. eq. 3. The next one.", 2),
    ("This is the form of Le et al. The original has another.", 2),
    ("In float32. The end", 2),
    ("See Fig. 2 and Doe, vol. 3", 1),
    ("It falls as 1 / √N. So it does.", 2),
    ("Version 0.2.0 is `a. B`. And `b` is next. `c` too.", 3),
    ("Does it? It does! (It did.) Yes", 4),
  ],
)
def test_sentences_end_at_full_stops_but_not_at_abbreviations(text, count):
  assert len(sentences(masked(text))) == count


PYTHON = '''"""A module
of two lines.

    python -m anew

Second paragraph.
"""
# A comment
# of two lines.
X = 1  # nats
# noqa: E501


def f(x):
  """Adds.

  Args:
    x: a number, which
      may be any.
    y: another.

  Raises:
    ValueError: if x < 0.

  - an item
  """
  flags.DEFINE_string("x", None, "A help " "of two parts.")
  if x < 0:
    raise ValueError(f"x is {x!r}; " "it must not be negative.")
'''
MARKDOWN = """# A title

A paragraph
of two lines, with a [link](page.md).

- An item
  of two lines
- Another

```python
anew = 1
```

    python -m anew

| cell | rate |
|---|---|
| RNN; LSTM | 1 |
<!-- anew
-->
"""


def test_all_prose_of_a_file_is_found_and_no_code(tmp_path):
  (tmp_path / "a.py").write_text(PYTHON)
  (tmp_path / "a.md").write_text(MARKDOWN)
  assert [(line, kind, text) for line, kind, text, *_ in sorted(passages(tmp_path / "a.py"))] == [
    (1, "module", "A module of two lines."),
    (6, "module", "Second paragraph."),
    (8, "comment", "A comment of two lines."),
    (10, "comment", "nats"),
    (15, "docstring", "Adds."),
    (18, "docstring", "x: a number, which may be any."),
    (20, "docstring", "y: another."),
    (23, "docstring", "ValueError: if x < 0."),
    (25, "docstring", "- an item"),
    (27, "help", "A help of two parts."),
    (29, "error", "x is …; it must not be negative."),
  ]
  assert [(line, text) for line, _, text, *_ in passages(tmp_path / "a.md")] == [
    (1, "A title"),
    (3, "A paragraph of two lines, with a [link](page.md)."),
    (6, "An item of two lines"),
    (8, "Another"),
    *((16, text) for text in ("cell", "rate")),
    *((18, text) for text in ("RNN", "LSTM", "1")),
  ]


def test_the_project_is_plain_english():
  assert [str(breach) for file in files([ROOT]) for breach in breaches(file)] == []


def test_the_command_names_path_line_and_rule(tmp_path, capsys):
  (tmp_path / "good.py").write_text('"""Adds."""\n')
  assert main([str(tmp_path)]) == 0
  assert not capsys.readouterr().out
  (tmp_path / "bad.md").write_text("Good.\n\nAll is made anew. Good.\n")
  assert main([str(tmp_path)]) == 1
  (line,) = capsys.readouterr().out.splitlines()
  assert line.startswith(f"{tmp_path}/bad.md:3: wording: 'anew'")
  assert line.endswith(": All is made anew.")
  assert main([str(tmp_path / "missing")]) == 2
