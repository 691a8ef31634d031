"""Data sets, their splits, and the batches of a trial.

A new data set goes here.
"""
