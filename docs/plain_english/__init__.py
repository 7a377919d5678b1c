"""Checks that the prose of the project is plain English.

    python -m docs.plain_english                         the whole project
    python -m docs.plain_english recurrent_lab docs      these folders and files

Prints `path:line: rule: sentence` for every breach, and exits with 1 if there is one. Checks docstrings, comments, flag helps,
error messages and guides. Code in backticks, equations and quotations are exempt. The rules:

- opening: a docstring starts with a verb or with the thing. A module docstring may be a question.
- units: "per step", not "a step".
- length: a sentence has at most 35 words, the summary of a docstring at most 30.
- summary: the first paragraph of a docstring has at most two lines.
- wording: the field's standard terms, and no phrase that must be read twice.
"""
