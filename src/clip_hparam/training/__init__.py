"""Train a resolved recipe to a result: optimizer, schedule, epochs, evaluation, checkpoints.

A new optimizer or schedule goes here; a tracker goes into `callbacks`.
"""
