"""Figures of the evidence. Each one is computed as data first and drawn second."""
