"""Writes the numbers of a sweep as a table in a Parquet file, for pandas, polars, R or DuckDB.

    python table.py

It has a row for each point, and needs `pip install pyarrow`.
"""

from pathlib import Path

from sweepkit import load_results


def main() -> Path:
  data = load_results("results/critical_gain").sel(norm="spectral")
  table = data[["growth_rate", "largest_exponent"]].to_dataframe().dropna().reset_index()
  path = Path("critical_gain.parquet")
  table.to_parquet(path)
  print(f"{path}: {len(table)} rows")
  return path


if __name__ == "__main__":
  main()
