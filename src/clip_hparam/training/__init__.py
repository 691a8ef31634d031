"""Train a resolved recipe to a result: steps, epochs, evaluation, checkpoints.

A new optimizer or schedule goes into `optim`, a tracker into `callbacks`.
"""
