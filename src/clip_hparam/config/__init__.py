"""Configuration as frozen dataclasses: the recipe of a trial, its machine and its specification.

Standard library only.
"""
