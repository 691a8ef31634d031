"""Helpers of the tests: command line, synthetic records, file systems, a real Slurm."""
