"""Classifiers that are ready to predict: export, predict and evaluate them.

They come from a trial, an export, open_clip or timm; a new source goes into `sources`.
"""
