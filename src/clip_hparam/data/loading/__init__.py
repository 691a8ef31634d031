"""Batches of images on the device of a trial.

Images are read in this process, or by worker processes that the trial keeps until it ends.
"""
