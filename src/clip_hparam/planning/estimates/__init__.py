"""Estimates of operations, seconds and GPU memory of a trial. Imports no torch."""
