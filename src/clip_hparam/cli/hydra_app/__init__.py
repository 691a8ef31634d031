"""`python sweep.py`: the only code that imports Hydra."""
