"""Data sets, their splits, and the batches of a trial.

A new data set is an entry of `datasets.DATASETS`.
"""
