"""The report: one page for all results. `python -m analysis.report` writes it."""
