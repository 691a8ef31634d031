"""Resumable state of a trial: what is saved, when, and in which files."""
