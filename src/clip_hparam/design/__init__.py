"""Ablation designs as data: a design expands to cells, a cell is a list of overrides.

A new kind of design is one function in `expand`, registered with `design_kind`.
"""
