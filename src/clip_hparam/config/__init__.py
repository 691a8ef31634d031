"""Configuration as frozen dataclasses: recipe, machine, and options of sweeps, searches, launchers.

Standard library only. A new kind of option goes here.
"""
