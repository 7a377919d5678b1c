"""Times and numbers as people write them."""

FEW = 5  # with fewer values their spread says little, so the values are shown: from two seeds a 95 % interval is 13 errors wide


def duration(seconds: float) -> str:
  """Such as 0.4 s, 12 s, 1 min 40 s, 2 h 5 min, 7.23 days."""
  if seconds < 9.95:
    return f"{seconds:.1f}".removesuffix(".0") + " s"
  whole = round(seconds)
  if whole < 60:
    return f"{whole} s"
  if whole >= 172_800:
    return f"{number(seconds / 86_400)} days"
  large, small, names = (*divmod(whole, 60), ("min", "s")) if whole < 3600 else (*divmod(whole // 60, 60), ("h", "min"))
  return f"{large} {names[0]} {small} {names[1]}" if small else f"{large} {names[0]}"


def number(value: float, digits: int = 3) -> str:
  """Such as 0.00124 or 1.24e-07, with so many digits; what has more before its point is whole, as 1 200; a dash for NaN."""
  if isinstance(value, int) or 10**digits <= abs(value) < 1e6:
    return f"{round(value):,}".replace(",", " ")
  return f"{value:.{digits}g}" if value == value else "–"


def count(value: int, noun: str) -> str:
  """Such as 1 point, 1 200 points."""
  return f"{number(value)} {noun}" if value == 1 else f"{number(value)} {noun}s"
