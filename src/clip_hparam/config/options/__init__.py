"""Options of sweeps, searches and launchers as dataclasses; they change no number of a trial.

A new kind of option goes here.
"""
