"""`python sweep.py`. No other package imports Hydra."""
