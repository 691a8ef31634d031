"""Optimiser and moving average of a trial, on parameters that are views of one tensor."""
