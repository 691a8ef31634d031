"""Faster forms of the modules of a tower, with the same parameters, names and function.

Rounding differs from that of open_clip's modules, so a trial records which it uses.
"""
