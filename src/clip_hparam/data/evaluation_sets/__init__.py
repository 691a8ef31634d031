"""Evaluation sets beyond the test set (driver key eval_sets). Imports no torch."""
