"""Evaluation of the trained models at the end of a trial, on all of its sets."""
