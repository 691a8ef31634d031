"""The device of an attempt: its Numerics, deterministic algorithms, and its line in the log."""
