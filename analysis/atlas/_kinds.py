"""Kinds of cells: what the state recurrence of a cell is made of, and how figures show it."""

from collections.abc import Mapping, Sequence

from analysis.wording import listed

#: kind -> (colour, marker). Okabe & Ito's colours.
KINDS: Mapping[str, tuple[str, str]] = {
  "dense, without gates": ("#D55E00", "o"),
  "dense, with gates": ("#0072B2", "s"),
  "element-wise": ("#CC79A7", "D"),
  "linear in the state": ("#009E73", "^"),
}


def kind(cell: str) -> str:
  """Returns the kind of a cell by its name. Dense is every cell whose entries see others in a way that is not declared linear."""
  import recurrent_lab as rl

  found = rl.get_cell(cell)
  if found.transition is not None:
    return "linear in the state"
  if found.elementwise:
    return "element-wise"
  return "dense, with gates" if found.gated else "dense, without gates"


def some(names: Sequence[str], most: int = 8) -> str:
  """Returns `a, b and c`, or the first few names and the number of the others."""
  rest = len(names) - most
  return listed(names) if rest <= 0 else f"{', '.join(names[:most])} and {rest} more"


def label(cell: str) -> str:
  """Returns the name of a cell in figures."""
  return cell.replace("_", " ")
