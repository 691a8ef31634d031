"""Data sets that a table of (path, label) describes, in CSV or Parquet. Imports no torch."""
