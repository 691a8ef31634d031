"""Searches with Optuna: search space, samplers, storage, study and worker.

A new sampler or pruner goes here.
"""
