"""Checks of several knobs together."""
