"""Searches with Optuna: space, objective, storage, study and worker; `methods` has the samplers."""
