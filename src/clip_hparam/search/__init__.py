"""Searches with Optuna: space, objective, samplers, pruners, storage, study and worker.

A new sampler is an entry of `samplers.SAMPLERS`, a new pruner an entry of `pruners.PRUNERS`.
"""
