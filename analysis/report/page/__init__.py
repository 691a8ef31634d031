"""Data of the report's charts as JSON values: trials, learning curves, sweeps and searches."""
