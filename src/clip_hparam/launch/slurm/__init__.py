"""Trials as Slurm job arrays: submission, queue queries, and detection of lost jobs."""
