"""The two commands: `python sweep.py` (hydra_app) and `clip-hparam` (commands)."""
