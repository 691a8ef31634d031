"""The ranks of a trial: their connection, their gradients, equal weights, and lost ranks."""
