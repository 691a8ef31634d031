"""The checks whose figures are speeds."""
