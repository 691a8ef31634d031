"""The commands: `python sweep.py` (hydra_app), `clip-hparam` (commands), `python -m analysis`."""
