"""Statistics of arrays: intervals, power, bootstrap, factorial contrasts, Shapley values."""
