"""Ablation designs as data: a design is a list of cells, a cell is a list of overrides.

A new kind of design goes here.
"""
